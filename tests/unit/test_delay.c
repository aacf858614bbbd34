/* SPDX-License-Identifier: BSD-2-Clause */
/* delay: each class waits its own time, a suspend lets all go, and a million that wait need no other memory. */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MILLION 20000u		/* then requests have redzones, and need many times the memory */
#else
#define MILLION 1000000u
#endif

static struct fixture f;
static struct dm_device *d;

static int begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(create(&f, "low", "0 128 linear memory,size=1M:a 0", NULL), 0);
	assert_int_equal(create(&f, "other", "0 128 linear memory,size=1M:b 0", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(d);
	fixture_end(&f);
	return 0;
}

/* The table refers to "low" and "other" by their numbers: L and O. */
static void make(const char *words)
{
	char line[256] = "", why[ERR_TEXT];
	size_t n = 0;

	for (; *words; words++)
		if (*words == 'L' || *words == 'O')
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%u:%u", f.world->major,
					      dm_find_name(f.world, *words == 'L' ? "low" : "other")->minor);
		else
			line[n++] = *words;
	if (create(&f, "it", line, why))
		fail_msg("%s", why);
	d = dm_find_name(f.world, "it");
	dm_open(d);
}

static void holds(const char *counts)
{
	char *now = rows(&f, DM_DO_STATUS, "it", 0), expected[64];

	snprintf(expected, sizeof(expected), "0 64 delay %s\n", counts);
	assert_string_equal(now, expected);
	free(now);
}

static void settle(void)
{
	settle_threads(&f);
	settle_threads(&f);
}

static void each_class_waits_its_own_time(void **state)
{
	struct job read, write, flush, discard;
	uint8_t data[2][512];

	(void)state;
	make("0 64 delay L 0 1000 L 0 3000 L 0 2000");
	memset(data, 0x5a, sizeof(data));
	job_start(&f, &read, d, 0, DM_READ, 0, 0, 1, data[0]);
	job_start(&f, &write, d, 1, DM_WRITE, 0, 1, 1, data[1]);
	job_start(&f, &flush, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	job_start(&f, &discard, d, 1, DM_DISCARD, 0, 8, 8, NULL);
	settle();
	holds("1 2 1");
	assert_int_equal(data[0][0], 0x5a);
	time_passes(&f, 1);
	settle();
	holds("0 2 1");
	assert_true(read.over && !flush.over && !write.over);
	assert_int_equal(data[0][0], 0);
	time_passes(&f, 1);
	settle();
	holds("0 2 0");
	assert_true(flush.over && !write.over && !discard.over);
	time_passes(&f, 1);
	assert_int_equal(job_wait(&write) | job_wait(&discard) | read.err | flush.err, 0);
	holds("0 0 0");
}

static void those_that_come_later_wait_longer(void **state)
{
	struct job one, two;
	uint8_t data[512];

	(void)state;
	make("0 64 delay L 0 2000");
	job_start(&f, &one, d, 0, DM_READ, 0, 0, 1, data);
	settle();
	time_passes(&f, 1);
	job_start(&f, &two, d, 0, DM_READ, 0, 0, 1, data);
	settle();
	holds("2 0 0");
	time_passes(&f, 1);
	settle();
	assert_true(one.over && !two.over);
	time_passes(&f, 1);
	assert_int_equal(job_wait(&two), 0);
}

/* Six words: reads from one place, writes to another, and flushes go where writes go. */
static void reads_and_writes_go_to_places_of_their_own(void **state)
{
	struct job write, flush;
	uint8_t data[512];

	(void)state;
	make("0 64 delay L 8 0 O 16 1000");
	memset(data, 0x77, sizeof(data));
	job_start(&f, &write, d, 0, DM_WRITE, 0, 1, 1, data);
	job_start(&f, &flush, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle();
	holds("0 1 1");
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1, 1, data), 0);
	assert_int_equal(data[0], 0);
	memset(data, 0x77, sizeof(data));
	time_passes(&f, 1);
	assert_int_equal(job_wait(&write) | job_wait(&flush), 0);
	assert_int_equal(request(&f, dm_find_name(f.world, "other"), 0, DM_READ, 0, 17, 1, data), 0);
	assert_int_equal(data[0], 0x77);
}

static uint64_t flushes_of(const char *name)
{
	struct dm_stats s;

	memset(&s, 0, sizeof(s));
	dm_device_stats(dm_find_name(f.world, name), &s);
	return s.ios[DM_FLUSH];
}

/* What was written is durable, wherever flushes go. */
static void a_flush_reaches_what_was_written_too(void **state)
{
	struct job flush;
	uint8_t data[512] = { 1 };

	(void)state;
	make("0 64 delay L 0 0 L 0 0 O 0 1000");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1, 1, data), 0);
	job_start(&f, &flush, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle();
	holds("0 0 1");
	time_passes(&f, 1);
	assert_int_equal(job_wait(&flush), 0);
	assert_int_equal(flushes_of("low"), 1);
	assert_int_equal(flushes_of("other"), 1);
}

static void a_suspend_lets_all_go_and_a_resume_holds_again(void **state)
{
	struct job jobs[8], late;
	uint8_t data[8][512];
	unsigned i;

	(void)state;
	make("0 64 delay L 0 600000");
	for (i = 0; i < 8; i++)
		job_start(&f, &jobs[i], d, i % 2, i % 3 ? DM_READ : DM_FLUSH, 0, 0, i % 3 ? 1 : 0, data[i]);
	settle();
	holds("5 0 3");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	job_start(&f, &late, d, 0, DM_READ, 0, 0, 1, data[0]);
	settle();
	holds("0 0 0");
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	settle();
	assert_false(late.over);
	holds("1 0 0");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(job_wait(&late), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
}

/* The flush of a suspend above is the core's, not a client's. */
static void a_suspend_above_does_not_wait(void **state)
{
	char line[64];

	(void)state;
	make("0 64 delay L 0 0 L 0 0 L 0 600000");
	snprintf(line, sizeof(line), "0 64 linear %u:%u 0", f.world->major, d->minor);
	assert_int_equal(create(&f, "above", line, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "above", 0, NULL), 0);
	holds("0 0 0");
	assert_int_equal(verb(&f, DM_DO_RESUME, "above", 0, NULL), 0);
}

static struct {
	struct loop_msg msg;
	struct dm_req *reqs;
	uint8_t data[512];
	atomic_uint done, failed;
} crowd;

static void crowd_done(struct dm_req *r, int err)
{
	(void)r;
	atomic_fetch_add(&crowd.failed, err != 0);
	atomic_fetch_add(&crowd.done, 1);
}

static void crowd_submit(struct loop_msg *m)
{
	struct dm_io *io = &f.world->io[0];
	unsigned i;

	(void)m;
	for (i = 0; i < MILLION; i++) {
		struct dm_req *r = &crowd.reqs[i];

		*r = (struct dm_req){ .op = DM_READ, .sector = i % 64, .count = 1, .done = crowd_done };
		dm_req_buffer(r, crowd.data, 512);
		dm_submit(io, d, r);
	}
}

static unsigned threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void a_million_that_wait_need_no_memory_and_no_thread(void **state)
{
	struct job first;
	size_t before;
	unsigned n_threads;
	char counts[32];

	(void)state;
	make("0 64 delay L 0 100");
	job_start(&f, &first, d, 0, DM_READ, 0, 0, 1, crowd.data);	/* so that what the first request creates exists */
	settle();
	time_passes(&f, 1);
	assert_int_equal(job_wait(&first), 0);
	crowd.reqs = calloc(MILLION, sizeof(*crowd.reqs));
	assert_non_null(crowd.reqs);
	before = allocated();
	n_threads = threads();
	crowd.msg.run = crowd_submit;
	loop_post(f.world->io[0].loop, &crowd.msg);
	settle();
	assert_int_equal(allocated(), before);
	assert_int_equal(threads(), n_threads);
	snprintf(counts, sizeof(counts), "%u 0 0", MILLION);
	holds(counts);
	assert_int_equal(atomic_load(&crowd.done), 0);
	time_passes(&f, 1);
	while (atomic_load(&crowd.done) < MILLION)
		settle_threads(&f);
	assert_int_equal(atomic_load(&crowd.failed), 0);
	holds("0 0 0");
	free(crowd.reqs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_class_waits_its_own_time, begin, end),
		cmocka_unit_test_setup_teardown(those_that_come_later_wait_longer, begin, end),
		cmocka_unit_test_setup_teardown(reads_and_writes_go_to_places_of_their_own, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_reaches_what_was_written_too, begin, end),
		cmocka_unit_test_setup_teardown(a_suspend_lets_all_go_and_a_resume_holds_again, begin, end),
		cmocka_unit_test_setup_teardown(a_suspend_above_does_not_wait, begin, end),
		cmocka_unit_test_setup_teardown(a_million_that_wait_need_no_memory_and_no_thread, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("delay", tests, NULL, NULL);
}
