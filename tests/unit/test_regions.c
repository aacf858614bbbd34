/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions (core/path/regions.h) through the messages that create and print them; counting requests of all shapes. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/world.h"

static struct fixture f;
static struct dm_device *top;
static uint8_t data[1 << 20];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	if (create(&f, "low", "0 2048 linear memory,size=1M:regions 0", NULL) ||
	    create(&f, "top", "0 1000 linear low 1000\n1000 1024 striped 2 8 low 0 low 512", NULL))
		return -1;
	top = dm_find_name(f.world, "top");
	dm_open(top);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(top);
	fixture_end(&f);
	return 0;
}

/* The answer to a message, or its errno; to be freed. */
static char *message(const char *name, const char *text)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = text };
	char *answer;
	int r = dm_do_now(f.world, &c);

	if (r)
		answer = strdup(strerrorname_np(-r));
	else
		answer = strdup(c.reply.answer ? c.reply.answer : "nothing");
	assert_true(!r == !*c.reply.err.text);
	dm_reply_free(&c.reply);
	return answer;
}

static void answers(const char *name, const char *text, const char *wanted)
{
	char *got = message(name, text);

	if (strcmp(got, wanted))
		print_error("# %s %s\n", name, text);
	assert_string_equal(got, wanted);
	free(got);
}

static void ask(enum dm_op op, uint64_t sector, uint64_t count)
{
	assert_int_equal(request(&f, top, (unsigned)sector & 1, op, 0, sector, count, data), 0);
}

/* Reads, sectors read, writes, sectors written in area AREA of region ID. */
static void counted(const char *name, unsigned id, unsigned area, const char *wanted)
{
	unsigned long long r, rs, w, ws;
	char text[60], got[120], *answer;

	snprintf(text, sizeof(text), "@stats_print %u %u 1", id, area);
	answer = message(name, text);
	assert_int_equal(sscanf(answer, "%*s %llu %*u %llu %*u %llu %*u %llu", &r, &rs, &w, &ws), 4);
	snprintf(got, sizeof(got), "%llu %llu %llu %llu", r, rs, w, ws);
	assert_string_equal(got, wanted);
	free(answer);
}

static void test_words(void **state)
{
	static const char *const bad[] = {
		"@stats_create", "@stats_create -", "@stats_create - 0", "@stats_create - /0", "@stats_create 10+ 8",
		"@stats_create 0+0 8", "@stats_create - /1 1", "@stats_create - /1 1 nothing", "@stats_create - /1 a b c",
		"@stats_create - /1 1 histogram:", "@stats_create - /1 1 histogram:a", "@stats_create - /1 1 histogram:5,2",
		"@stats_create - /1 1 histogram:0", "@stats_create - /1 1 histogram:1,", "@stats_create - /1 1 histogram:-1",
		"@stats_create 18446744073709551615+2 8", "@stats_delete", "@stats_delete x", "@stats_delete 1 2",
		"@stats_delete -1", "@stats_print", "@stats_print x", "@stats_clear", "@stats_set_aux 0", "@stats_list a b",
		"@stats_nothing", "@", "@stats_create - /1 2 histogram:1 histogram:2",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		answers("low", bad[i], "EINVAL");
	answers("low", "@stats_delete 7", "ENOENT");
	answers("low", "@stats_create 0+9223372036854775807 1", "ENOMEM");
	answers("low", "@stats_list", "");
}

static void test_list(void **state)
{
	(void)state;
	answers("low", "@stats_create - /3", "0");
	answers("low", "@STATS_create 10+20 7 2 precise_timestamps HISTOGRAM:1,20 prog words", "1");
	answers("low", "@stats_create 0+5 9 0 other", "2");
	answers("low", "@stats_list", "0: 0+2048 683 - -\n1: 10+20 7 prog words precise_timestamps histogram:1,20\n"
		"2: 0+5 9 other -\n");
	answers("low", "@stats_list prog", "1: 10+20 7 prog words precise_timestamps histogram:1,20\n");
	answers("low", "@stats_print 1", "10+7 0 0 0 0 0 0 0 0 0 0 0 0 0 0:0:0\n17+7 0 0 0 0 0 0 0 0 0 0 0 0 0 0:0:0\n"
		"24+7 0 0 0 0 0 0 0 0 0 0 0 0 0 0:0:0\n");
	answers("low", "@stats_print 1 3 9", "");
	answers("low", "@stats_delete 1", "nothing");
	answers("low", "@stats_set_aux 2 new", "nothing");
	answers("low", "@stats_create - 2048", "1");
	answers("low", "@stats_list", "0: 0+2048 683 - -\n1: 0+2048 2048 - -\n2: 0+5 9 other new\n");
	answers("low", "@stats_delete 0", "nothing");
	answers("low", "@stats_delete 2", "nothing");
	answers("low", "@stats_delete 1", "nothing");
}

/* Of all shapes: in one area and over several, through a stack, in pieces, in parts. */
static void test_counts(void **state)
{
	(void)state;
	answers("top", "@stats_create 0+2024 100", "0");
	answers("low", "@stats_create - 2048", "0");
	ask(DM_READ, 0, 8);
	counted("top", 0, 0, "1 8 0 0");
	counted("low", 0, 0, "1 8 0 0");
	ask(DM_WRITE, 90, 220);
	counted("top", 0, 0, "1 8 1 10");
	counted("top", 0, 1, "0 0 1 100");
	counted("top", 0, 3, "0 0 1 10");
	counted("low", 0, 0, "1 8 1 220");
	ask(DM_READ, 992, 40);		/* two lines, four chunks */
	counted("top", 0, 9, "1 8 0 0");
	counted("top", 0, 10, "1 32 0 0");
	counted("low", 0, 0, "6 48 1 220");
	ask(DM_DISCARD, 1000, 64);
	counted("low", 0, 0, "6 48 3 284");
	ask(DM_FLUSH, 0, 0);
	counted("low", 0, 0, "6 48 3 284");
	answers("low", "@stats_clear 0", "nothing");
	counted("low", 0, 0, "0 0 0 0");
	ask(DM_READ, 8, 8);
	counted("low", 0, 0, "1 8 0 0");
	answers("top", "@stats_delete 0", "nothing");
	ask(DM_READ, 8, 8);
	counted("low", 0, 0, "2 16 0 0");
	answers("low", "@stats_delete 0", "nothing");
}

static void test_failures(void **state)
{
	(void)state;
	answers("top", "@stats_create - /1", "0");
	assert_int_equal(request(&f, top, 0, DM_READ, 0, 2024, 8, data), -EIO);
	counted("top", 0, 0, "0 0 0 0");
	assert_int_equal(request(&f, top, 0, DM_EXTENT, 0, 0, 8, NULL), 0);
	counted("top", 0, 0, "0 0 0 0");
	answers("top", "@stats_delete 0", "nothing");
}

/* Regions are created and removed while requests are in flight. */
static void test_under_requests(void **state)
{
	struct job jobs[16];
	unsigned round, i;

	(void)state;
	for (round = 0; round < 500; round++) {
		for (i = 0; i < 16; i++)
			job_start(&f, &jobs[i], top, i & 1, i & 2 ? DM_WRITE : DM_READ, 0, i * 64, 64, data + (i << 15));
		answers(round & 1 ? "low" : "top", "@stats_create - 16 1 histogram:1", "0");
		for (i = 0; i < 16; i++)
			assert_int_equal(job_wait(&jobs[i]), 0);
		answers(round & 1 ? "low" : "top", "@stats_delete 0", "nothing");
	}
}

static void test_deferred(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "held", "0 8 zero", NULL), 0);
	assert_int_equal(create(&f, "user", "0 8 linear held 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "held", DM_WITH_DEFERRED, NULL), 0);
	answers("held", "@cancel_deferred_remove x", "EINVAL");
	assert_true(info(&f, "held").deferred);
	answers("held", "@cancel_deferred_remove", "nothing");
	assert_false(info(&f, "held").deferred);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "user", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "held", 0, NULL), 0);
}

static void test_left_behind(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "brief", "0 8 zero", NULL), 0);
	answers("brief", "@stats_create - 1", "0");
	answers("brief", "@stats_create - 1", "1");
	assert_int_equal(verb(&f, DM_DO_REMOVE, "brief", 0, NULL), 0);
	answers("low", "@stats_create - 100", "0");	/* freed with the world */
}

static sem_t asleep, wake;

static void sleep_until_woken(struct loop_msg *m)
{
	(void)m;
	sem_post(&asleep);
	while (sem_wait(&wake))
		;
}

/*
 * An io thread hangs, for example in a system call that does not return. Messages about regions are answered all the
 * same.
 */
static void no_message_waits_for_an_io_thread(void **state)
{
	struct loop_msg m = { .run = sleep_until_woken };

	(void)state;
	alarm(60);	/* rather than forever */
	sem_init(&asleep, 0, 0);
	sem_init(&wake, 0, 0);
	answers("top", "@stats_create - /1", "0");
	loop_post(f.world->io[0].loop, &m);
	while (sem_wait(&asleep))
		;
	answers("top", "@stats_create - /1", "1");
	answers("top", "@stats_delete 0", "nothing");
	answers("top", "@stats_create 0+8 8 p", "0");
	answers("top", "@stats_delete 1", "nothing");
	answers("top", "@stats_delete 0", "nothing");
	sem_post(&wake);
	ask(DM_READ, 0, 8);
	answers("top", "@stats_list", "");
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_under_requests),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(no_message_waits_for_an_io_thread),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
