/* SPDX-License-Identifier: BSD-2-Clause */
/* powercut: what each message and hook does, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "core/device/above.h"
#include "support/power_model.h"

static void triggers_cut_by_themselves(void **state)
{
	uint8_t data[512] = { 1 };
	unsigned i;

	(void)state;
	model_begin("");
	model_must_say("cut after 3 writes");
	assert_int_equal(model_io(DM_FLUSH, 0, 0, 0, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(model_io(DM_WRITE, i == 1 ? DM_FUA : 0, i, 1, data), 0);
	assert_int_equal(model_io(DM_WRITE, 0, 9, 1, data), -EIO);
	assert_true(model_status_has("cut 0 "));
	assert_true(model_was_told("write of sector 9 failed: the power is off"));
	model_must_say("restore");
	model_must_say("cut after 2 flushes");
	assert_true(model_status_has(" after 2 flushes"));
	for (i = 0; i < 2; i++)
		assert_int_equal(model_io(DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(model_io(DM_FLUSH, 0, 0, 0, NULL), -EIO);
	model_must_say("restore");
	model_must_say("cut at mark here");
	model_must_say("mark there");
	assert_int_equal(model_io(DM_WRITE, 0, 9, 1, data), 0);
	model_must_say("mark here");
	assert_int_equal(model_io(DM_WRITE, 0, 9, 1, data), -EIO);
	assert_int_equal(model_say("mark here", NULL), -EIO);
	model_must_say("restore");
	model_must_say("cut after 1 writes");
	model_must_say("cut never");
	assert_int_equal(model_io(DM_WRITE, 0, 9, 1, data), 0);
	assert_int_equal(model_io(DM_WRITE, 0, 9, 1, data), 0);
	model_end();
}

/* Those who hang wait, are not carried out, and fail: at a restore that is refused, too. */
static void what_hangs_fails_at_the_restore_and_is_never_carried_out(void **state)
{
	uint8_t data[512] = { 1 }, got[512];
	struct job jobs[3];
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	model_begin("");
	model_must_say("cut lost hang");
	job_start(&power.f, &jobs[0], power.d, 0, DM_WRITE, 0, 5, 1, data);
	job_start(&power.f, &jobs[1], power.d, 1, DM_READ, 0, 5, 1, got);
	job_start(&power.f, &jobs[2], power.d, 1, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&power.f);
	for (i = 0; i < 3; i++)
		assert_false(jobs[i].over);
	dm_write_begin(power.d);
	assert_int_equal(model_say("restore", why), -EBUSY);
	assert_non_null(strstr(why, "open for writing"));
	for (i = 0; i < 3; i++)
		assert_int_equal(job_wait(&jobs[i]), -EIO);
	dm_write_end(power.d);
	model_must_say("restore");
	assert_int_equal(model_io(DM_READ, 0, 5, 1, got), 0);
	assert_int_equal(got[0], 0);
	model_end();
}

/* A device above that is open for writing counts, too. */
static void restore_refuses_while_somebody_above_writes(void **state)
{
	struct dm_device *upper;
	char why[ERR_TEXT];

	(void)state;
	model_begin("");
	upper = make_device(&power.f, "upper", "0 100 linear d 0");
	model_must_say("cut");
	dm_write_begin(upper);
	assert_int_equal(model_say("restore", why), -EBUSY);
	assert_non_null(strstr(why, "'upper'"));
	dm_write_end(upper);
	model_must_say("restore");
	assert_int_equal(model_say("restore", why), -EINVAL);
	model_end();
}

/* The cache is the disk's: another table on it changes nothing, and dmuse's own flushes make nothing durable. */
static void swaps_and_suspends_neither_lose_nor_flush(void **state)
{
	(void)state;
	model_begin("");
	model_write(0, 0, 64);
	model_write(DM_FUA, 64, 64);
	assert_int_equal(verb(&power.f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&power.f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(reload(&power.f, "d", "0 2048 powercut memory,size=1M:below 0 seed 5 hang", NULL), 0);
	assert_int_equal(verb(&power.f, DM_DO_RESUME, "d", 0, NULL), 0);
	model_check(power.d, ONLY_LAST, false);
	model_check(power.base, ONLY_DURABLE, false);
	assert_true(model_status_has("up 0 1 64 5 any"));
	model_end();
}

/* A request that hangs does not keep the device from being suspended, or removed. */
static void suspending_lets_go_of_what_hangs(void **state)
{
	struct job j;
	uint8_t data[512];

	(void)state;
	model_begin(" hang");
	model_must_say("cut");
	job_start(&power.f, &j, power.d, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&power.f);
	assert_false(j.over);
	assert_int_equal(verb(&power.f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), -EIO);
	assert_int_equal(verb(&power.f, DM_DO_RESUME, "d", 0, NULL), 0);
	job_start(&power.f, &j, power.d, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&power.f);
	assert_false(j.over);
	model_must_say("restore");
	assert_int_equal(job_wait(&j), -EIO);
	model_end();
}

/* A write for which the spill file has no room fails, and leaves what was there. */
static void a_full_spill_file_fails_the_write(void **state)
{
	static uint8_t data[SECTORS * 512];
	struct rlimit all, little = { .rlim_cur = 4096 };
	int r;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little.rlim_max = all.rlim_max;
	model_begin(" memory 2048");
	model_write(0, 0, 1024);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	r = model_io(DM_WRITE, 0, 0, SECTORS, data);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(r, -EFBIG);
	assert_true(model_was_told("the spill file in /var/tmp: File too large"));
	model_check(power.d, ONLY_LAST, false);
	model_write(0, 0, SECTORS);
	model_check(power.d, ONLY_LAST, false);
	model_flush();
	model_check(power.base, ONLY_DURABLE, false);
	model_end();
}

/* Writes sector after sector; the number of those for which there was memory. */
static uint32_t write_sectors(void)
{
	uint8_t data[512];
	uint32_t n;
	int r = 0;

	for (n = 0; n < SECTORS && !r; n += !r) {
		memset(data, (int)n % 251, sizeof(data));
		r = model_io(DM_WRITE, 0, n, 1, data);
	}
	assert_true(!r || r == -ENOSPC);
	return n;
}

/* What is left of the memory may go to the record of a write, and then there is none for its data. */
static void the_last_block_may_be_needed_for_a_record(void **state)
{
	uint8_t data[512], back[512];
	char options[64];
	uint32_t written, n;

	(void)state;
	for (unsigned sectors = 2048; sectors < 2176; sectors += 8) {
		snprintf(options, sizeof(options), " sector atomic memory %u", sectors);
		model_begin(options);
		written = write_sectors();
		assert_true(written > 1300);
		for (n = 0; n < written; n++) {
			memset(data, (int)n % 251, sizeof(data));
			assert_int_equal(model_io(DM_READ, 0, n, 1, back), 0);
			assert_memory_equal(data, back, sizeof(data));
		}
		model_end();
	}
}

/* A flush that fails below makes nothing durable, and a later one tries again. */
static void a_flush_that_fails_below_is_told(void **state)
{
	uint8_t data[512] = { 1 };

	(void)state;
	model_begin("");
	assert_int_equal(reload(&power.f, "base", "0 2048 error", NULL), 0);
	assert_int_equal(create(&power.f, "weak", "0 2048 linear memory,size=1M:weak 0", NULL), 0);
	assert_int_equal(create(&power.f, "on", "0 2048 powercut weak 0 seed 1", NULL), 0);
	assert_int_equal(request(&power.f, dm_find_name(power.f.world, "on"), 0, DM_WRITE, 0, 0, 1, data), 0);
	assert_int_equal(reload(&power.f, "weak", "0 2048 error", NULL), 0);
	assert_int_equal(verb(&power.f, DM_DO_RESUME, "weak", 0, NULL), 0);
	assert_int_equal(request(&power.f, dm_find_name(power.f.world, "on"), 0, DM_FLUSH, 0, 0, 0, NULL), -EIO);
	assert_int_equal(request(&power.f, dm_find_name(power.f.world, "on"), 0, DM_WRITE, DM_FUA, 8, 1, data), -EIO);
	assert_int_equal(reload(&power.f, "weak", "0 2048 linear memory,size=1M:weak 0", NULL), 0);
	assert_int_equal(verb(&power.f, DM_DO_RESUME, "weak", 0, NULL), 0);
	assert_int_equal(request(&power.f, dm_find_name(power.f.world, "on"), 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	model_end();
}

static void words_that_do_not_fit_are_refused(void **state)
{
	static const struct { const char *line, *says; } wrong[] = {
		{ "0 8 powercut memory,size=1M:x 3", "not a multiple of the 8 sectors" },
		{ "0 8 powercut memory,size=1M:x 0 mode some", "'some' is not a mode" },
		{ "0 8 powercut memory,size=1M:x 0 atomic", "'atomic' is not an option" },
		{ "0 8 powercut memory,size=1M:x 0 chunk 200", "128" },
		{ "0 8 powercut memory,size=1M:x 0 sector 16 atomic", "'16': only chunk takes a number: chunk 16 atomic" },
		{ "0 8 powercut memory,size=1M:x 0 page 2", "'2': only chunk takes a number: chunk 2 atomic" },
		{ "0 8 powercut memory,size=1M:x 0 spill tmp", "not an absolute path" },
		{ "0 8 powercut memory,size=1M:x 0 spill /no/such spill", "<directory>" },
		{ "0 8 powercut memory,size=1M:x 0 spill /no/such", "cannot make a spill file in '/no/such'" },
		{ "0 8 powercut memory,size=1M:below 0 sector", "has a write cache already" },
	};
	char why[ERR_TEXT];
	size_t i;

	(void)state;
	model_begin("");
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_true(create(&power.f, "x", wrong[i].line, why) < 0);
		if (!strstr(why, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, why);
	}
	assert_int_equal(model_say("cut some", why), -EINVAL);
	assert_int_equal(model_say("cut after x writes", why), -EINVAL);
	assert_int_equal(model_say("cut seed", why), -EINVAL);
	assert_int_equal(model_say("jump", why), -EINVAL);
	assert_true(model_status_has("up 0 0 0 1 any 0 0 0"));
	model_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(triggers_cut_by_themselves),
		cmocka_unit_test(what_hangs_fails_at_the_restore_and_is_never_carried_out),
		cmocka_unit_test(restore_refuses_while_somebody_above_writes),
		cmocka_unit_test(swaps_and_suspends_neither_lose_nor_flush),
		cmocka_unit_test(suspending_lets_go_of_what_hangs),
		cmocka_unit_test(a_full_spill_file_fails_the_write),
		cmocka_unit_test(the_last_block_may_be_needed_for_a_record),
		cmocka_unit_test(a_flush_that_fails_below_is_told),
		cmocka_unit_test(words_that_do_not_fit_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
