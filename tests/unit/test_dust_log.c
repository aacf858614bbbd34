/* SPDX-License-Identifier: BSD-2-Clause */
/* What dust says in the log: a line for each message, and one at times for all that writes do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/world.h"

static struct fixture f;
static struct dm_device *d;
static int log_fd, stderr_was;

static int begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 1, AIO_AUTO);
	d = make_device(&f, "it", "0 800 dust memory,size=1M:a 0 4096");
	dm_open(d);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	stderr_was = dup(STDERR_FILENO);
	dup2(log_fd, STDERR_FILENO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	close(log_fd);
	dm_close(d);
	fixture_end(&f);
	return 0;
}

static void say(const char *message)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "it", .message = message };

	assert_int_equal(run(&f, &c, NULL), 0);
	dm_reply_free(&c.reply);
}

/* The blocks FROM to PAST - 1 become bad, and a write makes each of them good again. */
static void mend(unsigned from, unsigned past)
{
	static uint8_t data[8 * 512];
	char message[64];
	unsigned i;

	for (i = from; i < past; i++) {
		snprintf(message, sizeof(message), "addbadblock %u", i);
		say(message);
	}
	for (i = from; i < past; i++)
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, i * 8, 8, data), 0);
}

/* How many lines of the log have WORDS. */
static unsigned lines_with(const char *words)
{
	static char log[1 << 16];
	ssize_t n = pread(log_fd, log, sizeof(log) - 1, 0);
	unsigned found = 0;
	char *at;

	assert_true(n >= 0);
	log[n] = '\0';
	for (at = log; (at = strstr(at, words)); at++)
		found++;
	return found;
}

/* A program that writes to thousands of bad blocks does not fill the log. */
static void blocks_that_writes_make_good_are_a_line_in_ten_seconds(void **state)
{
	(void)state;
	say("enable");
	mend(0, 50);
	assert_int_equal(lines_with("is bad now"), 50);
	assert_int_equal(lines_with("was written to and is good now"), 1);
	time_passes(&f, 11);
	mend(50, 60);
	assert_int_equal(lines_with("was written to and is good now"), 2);
	assert_int_equal(lines_with("block 50 of 'memory,size=1048576:a', on which target dust stands, was written to and is good now "
				    "(and 49 others before)\n"), 1);
}

static void quiet_is_quiet(void **state)
{
	(void)state;
	say("enable");
	say("quiet");
	mend(0, 50);
	assert_int_equal(lines_with("block"), 0);
	say("quiet");
	mend(0, 1);
	assert_int_equal(lines_with("is bad now"), 1);
	assert_int_equal(lines_with("is good now\n"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(blocks_that_writes_make_good_are_a_line_in_ten_seconds, begin, end),
		cmocka_unit_test_setup_teardown(quiet_is_quiet, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
