/* SPDX-License-Identifier: BSD-2-Clause */
/* NBD connections that hang up, wait, flood the server or outlive it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/log.h"
#include "support/nbd.h"

#define PIPELINE 1000

static struct nbd_fixture n;
static struct nbd_client c;
static struct nbd_answer a;
static uint8_t block[4096];

static int begin(void **state)
{
	(void)state;
	nbd_begin(&n, 2);
	assert_int_equal(create(&n.f, "m", "0 204800 linear memory,size=100M:m 0", NULL), 0);
	assert_int_equal(create(&n.f, "g", "0 204800 gate", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	nbd_end(&n);
	return 0;
}

/* Runs the loop until everybody has closed DEVICE. */
static void wait_closed(const char *device)
{
	while (nbd_opens(&n, device))
		;
}

/* All are sent before any answer is read (so the answers are small); every cookie must come back once. */
static void a_thousand_pipelined_requests_are_all_answered(void **state)
{
	uint8_t *all = calloc(PIPELINE, NBD_REQUEST_HEAD + 512), *p = all;
	bool seen[PIPELINE] = { false };
	unsigned i;

	(void)state;
	nbdc_open(&c, &n, "m", true);
	for (i = 0; i < PIPELINE; i++) {
		p = nbdc_put(p, i % 8 ? NBD_CMD_WRITE : NBD_CMD_READ, 0, i, i * 4096ull, 512);
		p += i % 8 ? 512 : 0;
	}
	nbdc_say(&c, all, (size_t)(p - all));
	for (i = 0; i < PIPELINE; i++) {
		nbdc_answer(&c, &a, 0);
		assert_int_equal(a.err, 0);
		assert_true(a.cookie < PIPELINE && !seen[a.cookie]);
		seen[a.cookie] = true;
	}
	nbdc_hang_up(&c);
	free(all);
}

static void a_flood_is_held_back(void **state)
{
	uint8_t all[PIPELINE * NBD_REQUEST_HEAD], *p = all;
	unsigned i;

	(void)state;
	gate_shut();
	nbdc_open(&c, &n, "g", false);
	for (i = 0; i < PIPELINE; i++)
		p = nbdc_put(p, NBD_CMD_READ, 0, i, 0, 512);
	nbdc_say(&c, all, sizeof(all));
	while (gate_held() < 256)
		settle_threads(&n.f);
	settle_threads(&n.f);
	assert_int_equal(gate_held(), 256);
	gate_open(&n.f);
	for (i = 0; i < PIPELINE; i++)
		nbdc_answer(&c, &a, 512);
	nbdc_hang_up(&c);
}

static void large_requests_are_held_back_by_their_bytes(void **state)
{
	uint8_t *sink = malloc(NBD_TRANSFER_MAX);
	unsigned i;

	(void)state;
	gate_shut();
	nbdc_open(&c, &n, "g", false);
	for (i = 0; i < 5; i++)
		nbdc_ask(&c, NBD_CMD_READ, 0, i, 0, NBD_TRANSFER_MAX);
	while (gate_held() < 2)
		settle_threads(&n.f);
	settle_threads(&n.f);
	assert_int_equal(gate_held(), 2);
	gate_open(&n.f);
	for (i = 0; i < 5; i++) {
		uint8_t head[NBD_SIMPLE_HEAD];

		assert_int_equal(nbdc_hear(&c, head, sizeof(head)), sizeof(head));
		assert_int_equal(nbdc_hear(&c, sink, NBD_TRANSFER_MAX), NBD_TRANSFER_MAX);
	}
	nbdc_hang_up(&c);
	free(sink);
}

static void requests_sent_before_the_goodbye_are_answered(void **state)
{
	(void)state;
	gate_shut();
	nbdc_open(&c, &n, "g", true);
	nbdc_ask(&c, NBD_CMD_FLUSH, 0, 1, 0, 0);
	nbdc_ask(&c, NBD_CMD_READ, 0, 2, 0, 512);
	nbdc_ask(&c, NBD_CMD_DISC, 0, 3, 0, 0);
	while (!gate_held())
		settle_threads(&n.f);
	gate_open(&n.f);
	nbdc_answer(&c, &a, 0);
	nbdc_answer(&c, &a, 512);
	assert_int_equal(a.err, 0);
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
	wait_closed("g");
}

/* The same conversation, cut off after every single byte. */
static void hanging_up_anywhere_leaves_nothing_behind(void **state)
{
	uint8_t all[256], *p = nbd_put32(all, NBD_FIXED_NEWSTYLE);
	size_t i, len;

	(void)state;
	p = nbd_put32(nbd_put32(nbd_put64(p, NBD_OPT_MAGIC), NBD_OPT_STRUCTURED_REPLY), 0);
	p = nbd_put32(nbd_put32(nbd_put64(p, NBD_OPT_MAGIC), NBD_OPT_GO), 7);
	p = nbd_put16((uint8_t *)memcpy(nbd_put32(p, 1), "m", 1) + 1, 0);
	p = nbd_put16(nbd_put16(nbd_put32(p, NBD_REQUEST_MAGIC), 0), NBD_CMD_WRITE);
	p = nbd_put32(nbd_put64(nbd_put64(p, 1), 0), 4096);
	len = (size_t)(p - all) + 20;		/* including some bytes of the data */
	for (i = 0; i <= len; i++) {
		nbdc_dial(&c, &n);
		nbdc_say(&c, all, i);
		nbdc_hang_up(&c);
	}
	wait_closed("m");
	nbdc_open(&c, &n, "m", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 4096, NULL), 0);
	assert_memory_equal(a.data, block, 4096);	/* no partial write */
	nbdc_hang_up(&c);
}

static void random_bytes_harm_nobody(void **state)
{
	uint64_t seed = 88172645463325252ull;
	uint8_t junk[512];
	unsigned i, k;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	for (i = 0; i < 400; i++) {
		if (i % 2) {
			nbdc_open(&c, &n, "m", i % 4 == 1);
		} else {
			nbdc_dial(&c, &n);
			nbdc_greet(&c);
		}
		for (k = 0; k < sizeof(junk); k++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			junk[k] = (uint8_t)(seed >> 32);
		}
		if (i % 8 < 4)		/* a valid beginning, to get further */
			nbd_put64(junk, NBD_OPT_MAGIC);
		if (i % 2 && i % 8 < 4)
			nbd_put16(nbd_put32(junk, NBD_REQUEST_MAGIC) + 2, junk[9] % 9);
		nbdc_say(&c, junk, sizeof(junk));
		nbdc_hang_up(&c);
	}
	wait_closed("m");
	nbdc_open(&c, &n, "m", true);
	nbdc_hang_up(&c);
	log_set_level(LOG_LEVEL_INFO);
}

static void a_client_that_is_gone_keeps_the_device_until_its_requests_are_over(void **state)
{
	(void)state;
	nbdc_open(&c, &n, "m", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 4096, NULL), 0);
	assert_int_equal(verb(&n.f, DM_DO_SUSPEND, "m", 0, NULL), 0);
	memset(block, 'w', sizeof(block));
	nbdc_ask(&c, NBD_CMD_WRITE, 0, 1, 0, 4096);
	nbdc_say(&c, block, sizeof(block));
	settle_threads(&n.f);
	nbdc_hang_up(&c);
	assert_int_equal(nbd_opens(&n, "m"), 1);
	assert_int_equal(nbd_opens(&n, "m"), 1);
	assert_int_equal(verb(&n.f, DM_DO_RESUME, "m", 0, NULL), 0);
	wait_closed("m");
	nbdc_open(&c, &n, "m", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 4096, NULL), 0);
	assert_memory_equal(a.data, block, 4096);
	nbdc_hang_up(&c);
	memset(block, 0, sizeof(block));
}

static void who_is_cut_off_hears_it_while_its_requests_wait(void **state)
{
	(void)state;
	nbdc_open(&c, &n, "m", true);
	assert_int_equal(verb(&n.f, DM_DO_SUSPEND, "m", 0, NULL), 0);
	nbdc_ask(&c, NBD_CMD_READ, 0, 1, 0, 4096);
	nbdc_say(&c, "this is not a request at all....", 32);
	assert_true(nbdc_at_end(&c));
	assert_int_equal(nbd_opens(&n, "m"), 1);
	nbdc_hang_up(&c);
	assert_int_equal(verb(&n.f, DM_DO_RESUME, "m", 0, NULL), 0);
	wait_closed("m");
}

static void a_swap_and_a_rename_go_unnoticed(void **state)
{
	struct dm_cmd rename = { .verb = DM_DO_RENAME, .name = "m", .new_name = "n" };

	(void)state;
	nbdc_open(&c, &n, "m", true);
	memset(block, 's', sizeof(block));
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 4096, 4096, block), 0);
	assert_int_equal(reload(&n.f, "m", "0 8 zero\n8 204792 linear memory:m 8", NULL), 0);
	assert_int_equal(verb(&n.f, DM_DO_SUSPEND, "m", 0, NULL), 0);
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 4096, 4096);
	settle_threads(&n.f);
	assert_int_equal(run(&n.f, &rename, NULL), 0);
	dm_reply_free(&rename.reply);
	assert_int_equal(verb(&n.f, DM_DO_RESUME, "n", 0, NULL), 0);
	nbdc_answer(&c, &a, 4096);
	assert_int_equal(a.err, 0);
	assert_memory_equal(a.data, block, 4096);
	nbdc_hang_up(&c);
	nbdc_dial(&c, &n);
	nbdc_greet(&c);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "m", NULL, NULL), NBD_REP_ERR_UNKNOWN);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "n", NULL, NULL), NBD_REP_ACK);
	assert_int_equal(verb(&n.f, DM_DO_REMOVE, "n", 0, NULL), -EBUSY);
	nbdc_hang_up(&c);
	wait_closed("n");
	assert_int_equal(verb(&n.f, DM_DO_REMOVE, "n", 0, NULL), 0);
	nbdc_dial(&c, &n);
	nbdc_greet(&c);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "n", NULL, NULL), NBD_REP_ERR_UNKNOWN);
	nbdc_hang_up(&c);
	memset(block, 0, sizeof(block));
}

static void the_end_waits_for_requests_that_have_begun(void **state)
{
	(void)state;
	gate_shut();
	nbdc_open(&c, &n, "g", true);
	nbdc_ask(&c, NBD_CMD_FLUSH, 0, 9, 0, 0);
	nbdc_ask(&c, NBD_CMD_TRIM, 0, 1, 0, 512);
	while (!gate_held())
		settle_threads(&n.f);
	nbd_begin_stop(&n);
	settle_threads(&n.f);
	settle_threads(&n.f);
	assert_false(n.stopped);
	gate_open(&n.f);
	nbdc_answer(&c, &a, 0);
	nbdc_answer(&c, &a, 0);
	assert_int_equal(a.err, 0);
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
	nbd_wait_stop(&n);
}

static void the_end_of_the_world_answers_what_is_parked(void **state)
{
	struct nbd_client idle, early;

	(void)state;
	nbdc_dial(&early, &n);
	nbdc_open(&idle, &n, "m", false);
	nbdc_open(&c, &n, "m", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 512, NULL), 0);
	assert_int_equal(verb(&n.f, DM_DO_SUSPEND, "m", 0, NULL), 0);
	nbdc_ask(&c, NBD_CMD_READ, 0, 5, 0, 512);
	settle_threads(&n.f);
	dm_world_release(n.f.world);
	nbd_begin_stop(&n);
	nbdc_answer(&c, &a, 512);
	assert_int_equal(a.err, NBD_ESHUTDOWN);
	assert_int_equal(a.cookie, 5);
	assert_true(nbdc_at_end(&c));
	assert_true(nbdc_at_end(&idle));
	nbd_wait_stop(&n);
	nbdc_hang_up(&c);
	nbdc_hang_up(&idle);
	nbdc_hang_up(&early);
	assert_int_equal(info(&n.f, "m").open_count, 0);
}

static void connections_are_spread(void **state)
{
	struct nbd_client many[8];
	unsigned i;

	(void)state;
	gate_shut();
	for (i = 0; i < 8; i++) {
		nbdc_open(&many[i], &n, "g", false);
		nbdc_ask(&many[i], NBD_CMD_READ, 0, i, 0, 512);
	}
	assert_int_equal(nbd_opens(&n, "g"), 8);
	while (gate_held() < 8)
		settle_threads(&n.f);
	assert_int_equal(dm_find_name(n.f.world, "g")->lanes[0].inflight, 4);
	assert_int_equal(dm_find_name(n.f.world, "g")->lanes[1].inflight, 4);
	gate_open(&n.f);
	for (i = 0; i < 8; i++) {
		nbdc_answer(&many[i], &a, 512);
		nbdc_hang_up(&many[i]);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_thousand_pipelined_requests_are_all_answered),
		CASE(a_flood_is_held_back),
		CASE(large_requests_are_held_back_by_their_bytes),
		CASE(requests_sent_before_the_goodbye_are_answered),
		CASE(hanging_up_anywhere_leaves_nothing_behind),
		CASE(random_bytes_harm_nobody),
		CASE(a_client_that_is_gone_keeps_the_device_until_its_requests_are_over),
		CASE(who_is_cut_off_hears_it_while_its_requests_wait),
		CASE(a_swap_and_a_rename_go_unnoticed),
		CASE(the_end_waits_for_requests_that_have_begun),
		CASE(the_end_of_the_world_answers_what_is_parked),
		CASE(connections_are_spread),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
