/* SPDX-License-Identifier: BSD-2-Clause */
/* NBD connections while another program is to take them over: tests/tools/replace.py has what becomes of them there. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fronts/nbd/server.h"
#include "support/nbd.h"

#define TURNS 16

static struct nbd_fixture n;

static int begin(void **state)
{
	(void)state;
	nbd_begin(&n, 1);
	assert_int_equal(create(&n.f, "m", "0 2048 linear memory,size=1M:m 0", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	nbd_end(&n);
	return 0;
}

/* An io thread that has other things to do. */
struct busy {
	struct loop_msg msg;
	sem_t until;
};

static void busy_run(struct loop_msg *msg)
{
	struct busy *b = container(msg, struct busy, msg);

	while (sem_wait(&b->until))
		;
}

static void stands(void *arg)
{
	*(bool *)arg = true;
}

/* It would be accepted by this program, and not be among those that the other one gets. */
static void who_connects_meanwhile_waits(void **state)
{
	struct busy b = { .msg.run = busy_run };
	struct text saved = TEXT_INIT;
	struct nbd_client c;
	bool all_stand = false;
	unsigned i, accepted;

	(void)state;
	sem_init(&b.until, 0, 0);
	loop_post(n.f.world->io[0].loop, &b.msg);
	nbd_hand_over(n.nbd, stands, &all_stand);
	nbdc_dial(&c, &n);
	for (i = 0; i < TURNS; i++)
		loop_turn(n.f.loop, 0);
	accepted = nbd_connections(n.nbd);
	sem_post(&b.until);
	while (!all_stand)
		loop_turn(n.f.loop, -1);
	assert_int_equal(accepted, 0);
	assert_int_equal(nbd_handed_over(n.nbd, &saved), 0);
	assert_int_equal(saved.len, 0);
	nbd_hand_back(n.nbd);
	nbdc_greet(&c);
	nbdc_hang_up(&c);
	sem_destroy(&b.until);
	text_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_connects_meanwhile_waits, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
