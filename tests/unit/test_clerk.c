/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clerks: jobs in the order of posting, synchronous reads and writes, and an error message if no thread can be started.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/thread.h"
#include "core/kit/clerk.h"
#include "support/world.h"

#define SENDERS 2u
#define JOBS 300u

static struct fixture f;
static struct clerk *clerk;
static struct dm_at good, bad;
static bool no_thread;

int __real_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);
int __wrap_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);

int __wrap_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg)
{
	return no_thread && !strcmp(name, "dmuse-clerk") ? -EAGAIN : __real_thread_start(out, name, stack, run, arg);
}

static struct dm_at place(const char *name, const char *table)
{
	char why[ERR_TEXT], line[128];
	struct dm_device *d;

	if (create(&f, name, table, why))
		fail_msg("%s", why);
	snprintf(line, sizeof(line), "0 64 linear %u:%u 8", f.world->major, dm_find_name(f.world, name)->minor);
	strcat(strcpy(why, name), "-user");
	assert_int_equal(create(&f, why, line, NULL), 0);
	d = dm_find_name(f.world, why);
	return (struct dm_at){ d->active->stores[0], 8 };
}

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fixture_begin(&f, SENDERS, AIO_AUTO);
	good = place("good", "0 128 linear memory,size=1M:m 0");
	bad = place("bad", "0 128 error");
	if (clerk_new(&clerk, f.world, &f, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	(void)state;
	clerk_free(clerk);
	fixture_end(&f);
	return 0;
}

struct job_of {
	struct clerk_job job;
	struct loop_msg msg;
	bool over;
	int results[4];
	uint8_t data[512 * 2];
};

static void job_is_over(struct loop_msg *m)
{
	container(m, struct job_of, msg)->over = true;
}

static void tell(struct job_of *j)
{
	j->msg.run = job_is_over;
	loop_post(f.loop, &j->msg);
}

static void do_job(struct job_of *j, void (*run)(struct clerk *c, struct clerk_job *job))
{
	memset(j, 0, sizeof(*j));
	j->job.run = run;
	clerk_post(clerk, &j->job);
	while (!j->over)
		loop_turn(f.loop, -1);
}

static void write_and_read(struct clerk *c, struct clerk_job *job)
{
	struct job_of *j = container(job, struct job_of, job);
	uint8_t data[1024];

	if (clerk_owner(c) != &f)
		abort();
	memset(data, 0x5a, sizeof(data));
	j->results[0] = clerk_write(c, &good, 3, 2, data, DM_FUA);
	j->results[1] = clerk_flush(c, &good);
	j->results[2] = clerk_read(c, &good, 4, 2, j->data);
	j->results[3] = clerk_read(c, &bad, 0, 1, data);
	tell(j);
}

static void io_looks_synchronous_and_tells_its_errors(void **state)
{
	static struct job_of j;
	uint8_t data[512];

	(void)state;
	do_job(&j, write_and_read);
	assert_int_equal(j.results[0], 0);
	assert_int_equal(j.results[1], 0);
	assert_int_equal(j.results[2], 0);
	assert_int_equal(j.results[3], -EIO);
	assert_int_equal(j.data[511], 0x5a);
	assert_int_equal(j.data[512], 0);
	dm_open(dm_find_name(f.world, "good"));
	assert_int_equal(request(&f, dm_find_name(f.world, "good"), 0, DM_READ, 0, 8 + 3, 1, data), 0);
	assert_int_equal(data[0], 0x5a);
	dm_close(dm_find_name(f.world, "good"));
}

/* Jobs from two threads at once: each thread's run in order, and never two at a time. */
static struct numbered {
	struct clerk_job job;
	struct loop_msg msg;
	unsigned sender, number;
} numbered[SENDERS][JOBS];
static unsigned seen[SENDERS], at_work;
static atomic_uint all_seen;

static void check_number(struct clerk *c, struct clerk_job *job)
{
	struct numbered *n = container(job, struct numbered, job);
	uint8_t data[512];

	if (at_work++ || seen[n->sender]++ != n->number)
		abort();
	if (n->number % 50 == 0 && clerk_read(c, &good, n->number % 32, 1, data))
		abort();
	at_work--;
	atomic_fetch_add(&all_seen, 1);
}

static void send_numbers(struct loop_msg *m)
{
	struct numbered *n = container(m, struct numbered, msg);
	unsigned i;

	for (i = 0; i < JOBS; i++) {
		struct numbered *one = &numbered[n->sender][i];

		one->job.run = check_number;
		one->sender = n->sender;
		one->number = i;
		clerk_post(clerk, &one->job);
	}
}

static void jobs_run_one_after_the_other_in_order(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < SENDERS; i++) {
		numbered[i][0].sender = i;
		numbered[i][0].msg.run = send_numbers;
		loop_post(f.world->io[i].loop, &numbered[i][0].msg);
	}
	while (atomic_load(&all_seen) < SENDERS * JOBS)
		settle_threads(&f);
}

static void lends_its_place(struct clerk *c, struct clerk_job *job)
{
	clerk_lend(c);
	tell(container(job, struct job_of, job));
}

/* J waits until the place is returned. */
static void runs_when_it_is_returned(struct job_of *j)
{
	*j = (struct job_of){ .job = { .run = write_and_read } };
	clerk_post(clerk, &j->job);
	settle_threads(&f);
	assert_false(clerk_borrow(clerk));
	assert_false(j->over);
	clerk_return(clerk);
	while (!j->over)
		loop_turn(f.loop, -1);
	assert_int_equal(j->results[0], 0);
}

static void borrow(void)
{
	while (!clerk_borrow(clerk))
		settle_threads(&f);		/* its last job has told that it is over, and is about to be */
}

static void no_job_runs_while_its_place_is_lent(void **state)
{
	static struct job_of j, next;

	(void)state;
	borrow();
	runs_when_it_is_returned(&next);
	do_job(&j, lends_its_place);
	runs_when_it_is_returned(&next);
	borrow();
	clerk_return(clerk);
}

/* The end waits for them. */
static void what_is_posted_is_run_before_the_end(void **state)
{
	static struct job_of j[10];
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++) {
		j[i].job.run = write_and_read;
		clerk_post(clerk, &j[i].job);
	}
	clerk_free(clerk);
	clerk = NULL;
	for (i = 0; i < 10; i++)
		assert_int_equal(j[i].results[3], -EIO);
	settle_threads(&f);
}

static void without_a_thread_there_is_a_sentence(void **state)
{
	struct clerk *none = NULL;
	struct err e = ERR_INIT;

	(void)state;
	no_thread = true;
	assert_int_equal(clerk_new(&none, f.world, NULL, &e), -EAGAIN);
	no_thread = false;
	assert_non_null(strstr(e.text, "cannot start a thread"));
	assert_null(none);
	clerk_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(io_looks_synchronous_and_tells_its_errors, begin, end),
		cmocka_unit_test_setup_teardown(jobs_run_one_after_the_other_in_order, begin, end),
		cmocka_unit_test_setup_teardown(no_job_runs_while_its_place_is_lent, begin, end),
		cmocka_unit_test_setup_teardown(what_is_posted_is_run_before_the_end, begin, end),
		cmocka_unit_test_setup_teardown(without_a_thread_there_is_a_sentence, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("clerk", tests, NULL, NULL);
}
