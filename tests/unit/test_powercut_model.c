/* SPDX-License-Identifier: BSD-2-Clause */
/* powercut: random workloads are cut and restored, and what a restore shows is what was promised; and all of that can be shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/power_model.h"

static enum which which_of(const char *mode)
{
	return !strcmp(mode, "lost") ? ONLY_DURABLE : !strcmp(mode, "kept") ? ONLY_LAST : ANY;
}

static void cut_and_restore(const char *mode)
{
	char message[64];
	uint8_t data[512];

	snprintf(message, sizeof(message), "cut %s seed %u", mode, model_roll(1 << 20));
	model_must_say(message);
	assert_int_equal(model_io(DM_READ, 0, 0, 1, data), -EIO);
	assert_int_equal(model_io(DM_WRITE, 0, 0, 1, data), -EIO);
	assert_int_equal(model_io(DM_FLUSH, 0, 0, 0, NULL), -EIO);
	model_check(power.base, ONLY_DURABLE, false);
	model_must_say("restore");
	model_check(power.d, which_of(mode), true);
	model_check(power.base, ONLY_DURABLE, false);
}

static unsigned long spilled_sectors(void)
{
	char *status = rows(&power.f, DM_DO_STATUS, "d", 0);
	unsigned long n = strtoul(strrchr(status, ' '), NULL, 10);

	free(status);
	return n;
}

static void random_workloads(const char *options)
{
	static const char *const modes[] = { "lost", "kept", "prefix", "subset", "reordered", "torn", "any" };
	unsigned i, k, spilled = 0;

	model_begin(options);
	power.rarely = *options;
	for (i = 0; i < 28; i++) {
		for (k = model_roll(STEPS - 1); k; k--)
			model_do_something();
		spilled += spilled_sectors() > 0;
		model_check(power.d, ONLY_LAST, false);
		model_check(power.base, ONLY_DURABLE, false);
		cut_and_restore(modes[i % 7]);
	}
	assert_true(model_status_has("up 28 0 0"));
	assert_int_equal(spilled > 5, *options != 0);
	model_end();
}

static void what_a_restore_shows_was_promised(void **state)
{
	(void)state;
	random_workloads("");
}

/* The least memory there may be holds 768 KiB of data; more is written. */
static void it_is_the_same_with_a_spill_file(void **state)
{
	(void)state;
	random_workloads(" memory 2048");
}

/* Three sectors that are atomic, three writes that overlap: 3 * 4 * 3 states, all of them reached. */
static void all_allowed_states_are_reached(void **state)
{
	static const struct { uint64_t sector, count; } writes[] = { { 0, 2 }, { 1, 2 }, { 0, 3 } };
	bool seen[4][4][4] = { { { false } } };
	unsigned seed, k, n = 0;
	uint8_t data[3 * 512];
	char message[64];

	(void)state;
	model_begin(" sector atomic");
	for (seed = 0; n < 3 * 4 * 3 && seed < 3000; seed++) {
		memset(data, 0, sizeof(data));
		assert_int_equal(model_io(DM_WRITE, DM_FUA, 0, 3, data), 0);
		for (k = 0; k < 3; k++) {
			memset(data, (int)k + 1, sizeof(data));
			assert_int_equal(model_io(DM_WRITE, 0, writes[k].sector, writes[k].count, data), 0);
		}
		snprintf(message, sizeof(message), "cut %s seed %u", seed % 2 ? "any" : "torn", seed);
		model_must_say(message);
		model_must_say("restore");
		assert_int_equal(model_io(DM_READ, 0, 0, 3, data), 0);
		assert_true(data[0] != 2 && data[1024] != 1);
		n += !seen[data[0]][data[512]][data[1024]];
		seen[data[0]][data[512]][data[1024]] = true;
	}
	assert_int_equal(n, 3 * 4 * 3);
	model_end();
}

static void a_seed_plays_the_same_cut_again(void **state)
{
	static uint8_t first[SECTORS * 512], again[SECTORS * 512];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		model_begin("");
		for (k = 0; k < 200; k++)
			model_write(0, model_roll(SECTORS - 16), 1 + model_roll(16));
		model_must_say("cut any seed 77");
		assert_true(model_status_has("cut 0 200 "));
		assert_true(model_status_has(" 77 any "));
		model_must_say("restore");
		assert_int_equal(model_io(DM_READ, 0, 0, SECTORS, i ? again : first), 0);
		model_end();
	}
	assert_memory_equal(first, again, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_restore_shows_was_promised),
		cmocka_unit_test(it_is_the_same_with_a_spill_file),
		cmocka_unit_test(all_allowed_states_are_reached),
		cmocka_unit_test(a_seed_plays_the_same_cut_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
