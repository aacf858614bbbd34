/* SPDX-License-Identifier: BSD-2-Clause */
/* Busy-polling: the decisions (base/awake.c, with simulated time), and what a polling loop must not miss. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/awake.h"
#include "base/loop.h"

#define US UINT64_C(1000)
#define SECOND UINT64_C(1000000000)

/*
 * A client that sends one request after another for a second; returns the share of it in which the thread stayed awake.
 */
static double share_awake(struct awake *a, uint64_t *now, uint64_t when_awake, uint64_t when_asleep)
{
	uint64_t end = *now + SECOND, awake = 0;

	while (*now < end) {
		uint64_t began = *now, watched = awake_now(a) != AWAKE_ASKING ? 0 : when_awake < a->most ? when_awake : a->most;

		*now += watched ? when_awake : when_asleep;
		awake += watched;
		if (watched < *now - began)
			awake_slept(a, began + watched, *now);
		awake_heard(a, 1, *now);
	}
	return (double)awake / SECOND;
}

static void the_faster_way_is_kept(void **state)
{
	struct awake a;
	uint64_t now = 5 * SECOND;

	(void)state;
	awake_init(&a, 50 * US);
	share_awake(&a, &now, 20 * US, 80 * US);
	assert_true(share_awake(&a, &now, 20 * US, 80 * US) > 0.9);
	share_awake(&a, &now, 9 * US, 7 * US);
	assert_true(share_awake(&a, &now, 9 * US, 7 * US) < 0.1);
	share_awake(&a, &now, 20 * US, 80 * US);
	assert_true(share_awake(&a, &now, 20 * US, 80 * US) > 0.9);
}

static void who_hears_little_sleeps(void **state)
{
	struct awake a;
	uint64_t now = 5 * SECOND;

	(void)state;
	awake_init(&a, 50 * US);
	share_awake(&a, &now, 20 * US, 80 * US);
	assert_true(share_awake(&a, &now, 1000 * US, 1000 * US) < 0.01);
}

static void where_others_want_the_processor_it_sleeps(void **state)
{
	struct awake a;
	uint64_t now = 5 * SECOND, i;

	(void)state;
	awake_init(&a, 50 * US);
	share_awake(&a, &now, 20 * US, 80 * US);
	for (i = 0; i < 100 && awake_now(&a) == AWAKE_ASKING; i++)
		awake_displaced(&a, now += 3000 * US);
	assert_in_range(i, 2, 30);
	assert_true(share_awake(&a, &now, 20 * US, 80 * US) < 0.6);
	assert_true(share_awake(&a, &now, 20 * US, 80 * US) > 0.9);
	for (i = 0; i < 100; i++)
		awake_displaced(&a, now += 30000 * US);
	assert_int_equal(awake_now(&a), AWAKE_ASKING);
}

/* A client with many requests in flight for a second: how many arrive at once in each way, and how long that takes. */
struct pace {
	unsigned n;
	uint64_t ns;
};

static double share_held(struct awake *a, uint64_t *now, const struct pace pace[AWAKE_WAYS])
{
	uint64_t end = *now + SECOND, held = 0;

	while (*now < end) {
		enum awake_way way = awake_now(a);

		*now += pace[way].ns;
		held += way == AWAKE_HOLDING ? pace[way].ns : 0;
		if (way == AWAKE_ASLEEP)
			awake_slept(a, *now - pace[way].ns, *now);
		awake_heard(a, pace[way].n, *now);
	}
	return (double)held / SECOND;
}

static void who_has_many_requests_under_way_is_held_if_that_is_no_slower(void **state)
{
	static const struct pace deep[] = { { 2, 30 * US }, { 2, 27 * US }, { 8, 100 * US } },
				 equal[] = { { 2, 30 * US }, { 2, 25 * US }, { 8, 101 * US } },
				 shallow[] = { { 2, 30 * US }, { 2, 27 * US }, { 2, 60 * US } },
				 lone[] = { { 1, 30 * US }, { 1, 20 * US }, { 1, 60 * US } };
	struct awake a;
	uint64_t now = 5 * SECOND;

	(void)state;
	awake_init(&a, 50 * US);
	share_held(&a, &now, deep);
	assert_true(share_held(&a, &now, deep) > 0.9);
	assert_true(share_held(&a, &now, equal) > 0.9);
	assert_true(share_held(&a, &now, lone) < 0.01);
	assert_int_equal(awake_now(&a), AWAKE_ASKING);
	share_held(&a, &now, deep);
	assert_true(share_held(&a, &now, shallow) < 0.2);
	assert_true(share_held(&a, &now, shallow) < 0.1);
	awake_init(&a, 0);		/* polling is forbidden */
	share_held(&a, &now, deep);
	assert_true(share_held(&a, &now, deep) > 0.9);
	assert_true(share_held(&a, &now, lone) < 0.01);
	assert_int_equal(awake_now(&a), AWAKE_ASLEEP);
}

struct end {
	struct loop_watch watch;
	struct loop *loop;
	unsigned took;
	bool leaves;
};

static bool end_poll(struct loop_watch *w)
{
	struct end *e = container(w, struct end, watch);
	char byte;

	if (read(w->fd, &byte, 1) != 1)
		return false;
	loop_heard(e->loop, w, 1);
	e->took++;
	if (e->leaves)
		loop_unwatch(e->loop, w);
	return true;
}

static void end_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	end_poll(w);
}

/* Returns the end to write to. */
static int end_open(struct end *e, struct loop *l)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	*e = (struct end){ .loop = l, .watch = { .fd = fds[0], .events = EPOLLIN, .ready = end_ready, .poll = end_poll } };
	assert_int_equal(loop_watch(l, &e->watch), 0);
	return fds[1];
}

static void tell(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

struct stopper {
	struct loop_msg msg;
	struct loop *loop;
	bool run;
};

static void stopper_run(struct loop_msg *m)
{
	container(m, struct stopper, msg)->run = true;
}

static void *stopper_main(void *arg)
{
	struct stopper *s = arg;

	loop_post(s->loop, &s->msg);
	return NULL;
}

/* With a window of a second, anything that is noticed only after sleeping would be late. */
static void a_loop_that_polls_hears_everything(void **state)
{
	struct err e = ERR_INIT;
	struct stopper s = { .msg.run = stopper_run };
	struct end one, two;
	struct loop *l;
	pthread_t thread;
	int a, b, i;

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	loop_poll_for(l, 1000000);
	a = end_open(&one, l);
	b = end_open(&two, l);
	for (i = 1; i <= 100; i++) {
		tell(a);
		loop_turn(l, -1);
		assert_int_equal(one.took, i);
		tell(b);
		loop_turn(l, -1);
		assert_int_equal(two.took, i);
	}
	s.loop = l;
	assert_int_equal(pthread_create(&thread, NULL, stopper_main, &s), 0);
	while (!s.run)
		loop_turn(l, -1);
	pthread_join(thread, NULL);
	one.leaves = true;
	tell(a);
	while (one.took != 101)
		loop_turn(l, -1);
	close(one.watch.fd);
	memset(&one, 0xee, sizeof(one));	/* it is not used any more */
	tell(b);
	while (two.took != 101)
		loop_turn(l, -1);
	loop_unwatch(l, &two.watch);
	close(two.watch.fd);
	close(a);
	close(b);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_faster_way_is_kept),
		cmocka_unit_test(who_hears_little_sleeps),
		cmocka_unit_test(where_others_want_the_processor_it_sleeps),
		cmocka_unit_test(who_has_many_requests_under_way_is_held_if_that_is_no_slower),
		cmocka_unit_test(a_loop_that_polls_hears_everything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("awake", all, NULL, NULL);
}
