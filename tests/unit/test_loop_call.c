/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call on a loop's own thread: after a short one, that thread continues with the loop; during one that blocks,
 * another does.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/list.h"
#include "base/loop.h"

#define CALLS 200

static struct loop *loop;
static pthread_t thread;
static int client;
static unsigned heard;
static sem_t met;		/* the loop has done what is waited for */

/* A client that sends to the loop repeatedly, so that it has the thread for itself. */
static bool client_poll(struct loop_watch *w)
{
	(void)w;
	return false;
}

static void client_ready(struct loop_watch *w, uint32_t events)
{
	uint64_t n;

	(void)events;
	assert_int_equal(read(w->fd, &n, sizeof(n)), sizeof(n));
	heard++;
	loop_heard(loop, w, 1);
	sem_post(&met);
}

static struct loop_watch watch = { .events = EPOLLIN, .ready = client_ready, .poll = client_poll };

static void *main_of_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void speak(unsigned times)
{
	uint64_t one = 1;

	while (times--) {
		assert_int_equal(write(client, &one, sizeof(one)), sizeof(one));
		sem_wait(&met);
	}
}

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	heard = 0;
	sem_init(&met, 0, 0);
	assert_int_equal(loop_new(&loop, &e), 0);
	client = eventfd(0, EFD_CLOEXEC);
	watch.fd = client;
	assert_int_equal(loop_watch(loop, &watch), 0);
	assert_int_equal(pthread_create(&thread, NULL, main_of_loop, loop), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	loop_stop(loop);
	pthread_join(thread, NULL);
	loop_unwatch(loop, &watch);
	close(client);
	loop_free(loop);
	sem_destroy(&met);
	return 0;
}

/* A request to the loop, on its thread. */
struct asked {
	struct loop_msg msg;
	struct loop_call call;
	sem_t *blocks, entered;
	bool taken;
	pthread_t by, back;
	unsigned calls;
};

static void asked_call(struct loop_call *c)
{
	struct asked *a = container(c, struct asked, call);

	a->by = pthread_self();
	sem_post(&a->entered);
	if (a->blocks)
		sem_wait(a->blocks);
}

static void asked_done(struct loop_call *c)
{
	struct asked *a = container(c, struct asked, call);

	a->back = pthread_self();
	a->calls++;
	sem_post(&met);
}

static void asked_run(struct loop_msg *m)
{
	struct asked *a = container(m, struct asked, msg);

	a->taken = loop_call_here(loop, &a->call);
	if (!a->taken)
		sem_post(&met);
}

static void ask(struct asked *a, sem_t *blocks)
{
	a->msg.run = asked_run;
	a->call = (struct loop_call){ .call = asked_call, .done = asked_done };
	a->blocks = blocks;
	loop_post(loop, &a->msg);
}

static struct asked *asked_new(void)
{
	struct asked *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	sem_init(&a->entered, 0, 0);
	return a;
}

static void a_short_call_stays_on_its_thread(void **state)
{
	struct asked *a = asked_new();
	unsigned i, stayed = 0;

	(void)state;
	speak(100);
	for (i = 0; i < CALLS; i++) {
		ask(a, NULL);
		sem_wait(&met);
		assert_true(a->taken);
		stayed += pthread_equal(a->by, a->back) != 0;
	}
	assert_int_equal(a->calls, CALLS);
	assert_true(stayed > CALLS / 2);	/* on a busy machine some may be long */
	free(a);
}

static void past_a_call_that_blocks_others_are_served(void **state)
{
	struct asked *a = asked_new();
	sem_t blocks;
	unsigned before;

	(void)state;
	sem_init(&blocks, 0, 0);
	speak(100);
	ask(a, &blocks);
	sem_wait(&a->entered);
	before = heard;
	speak(50);			/* otherwise it would wait here forever */
	assert_int_equal(heard, before + 50);
	assert_int_equal(a->calls, 0);
	sem_post(&blocks);
	sem_wait(&met);
	assert_int_equal(a->calls, 1);
	assert_false(pthread_equal(a->by, a->back));
	sem_destroy(&blocks);
	free(a);
}

/* The two threads change places as often as necessary, and the loop may end on either. */
static void again_and_again(void **state)
{
	struct asked *a = asked_new();
	sem_t blocks;
	unsigned i;

	(void)state;
	sem_init(&blocks, 0, 0);
	speak(100);
	for (i = 0; i < 9; i++) {
		ask(a, &blocks);
		sem_wait(&a->entered);
		speak(3);
		sem_post(&blocks);
		sem_wait(&met);
		assert_true(a->taken);
		speak(3);
	}
	assert_int_equal(a->calls, 9);
	sem_destroy(&blocks);
	free(a);
}

/* The thread may now be serving another client, which must not have to wait. */
static void none_is_made_where_others_are_served(void **state)
{
	struct loop_watch second = watch;
	struct asked *a = asked_new();
	uint64_t one = 1;

	(void)state;
	second.fd = eventfd(0, EFD_CLOEXEC);
	speak(100);
	assert_int_equal(loop_watch(loop, &second), 0);
	assert_int_equal(write(second.fd, &one, sizeof(one)), sizeof(one));
	sem_wait(&met);
	ask(a, NULL);
	sem_wait(&met);
	assert_false(a->taken);
	assert_int_equal(a->calls, 0);
	loop_stop(loop);
	pthread_join(thread, NULL);
	loop_unwatch(loop, &second);
	close(second.fd);
	assert_int_equal(pthread_create(&thread, NULL, main_of_loop, loop), 0);
	free(a);
}

static void a_loop_that_a_test_turns_makes_none(void **state)
{
	struct loop_call c = { .call = asked_call, .done = asked_done };
	struct err e = ERR_INIT;
	struct loop *mine;

	(void)state;
	assert_int_equal(loop_new(&mine, &e), 0);
	assert_false(loop_call_here(mine, &c));
	loop_free(mine);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_short_call_stays_on_its_thread),
		CASE(past_a_call_that_blocks_others_are_served),
		CASE(again_and_again),
		CASE(none_is_made_where_others_are_served),
		cmocka_unit_test(a_loop_that_a_test_turns_makes_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
