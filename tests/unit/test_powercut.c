/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * powercut: random workloads are cut and restored, and a model that was written from the words of the manual says which content each
 * unit may have, and what the disk below holds. Then what each message and hook does.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "core/device/above.h"
#include "support/world.h"

enum { SECTORS = 2048, UNIT = 8, STEPS = 400 };

/* What was done, in order: versions of what the disk holds. */
struct step {
	uint64_t sector, count;
	bool durable;
	unsigned stamp;			/* what it wrote: 0 are zeros */
};

static struct {
	struct fixture f;
	struct dm_device *d, *base;
	struct step steps[STEPS];
	unsigned n, stamps;
	uint32_t start[SECTORS];	/* stamps before the steps */
	uint64_t dice;
	bool rarely;			/* it flushes */
} s;

static unsigned roll(unsigned n)
{
	s.dice = s.dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(s.dice >> 33) % n;
}

/* A sector says which step wrote it, and where. */
static void fill(uint8_t *to, uint64_t sector, uint32_t stamp)
{
	unsigned i;

	for (i = 0; i < 512; i += 8) {
		memcpy(to + i, &stamp, 4);
		memset(to + i + 4, 0, 4);
		if (stamp)
			memcpy(to + i + 4, &(uint32_t){ (uint32_t)sector }, 4);
	}
}

static uint32_t stamp_of(const uint8_t *data, uint64_t sector)
{
	uint8_t want[512];
	uint32_t stamp;

	memcpy(&stamp, data, 4);
	fill(want, sector, stamp);
	assert_memory_equal(data, want, 512);
	return stamp;
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&s.f, s.d, roll(s.f.world->n_io), op, flags, sector, count, data);
}

static int say(const char *message, char *why)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "d", .message = message };
	int r = run(&s.f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static void must_say(const char *message)
{
	char why[ERR_TEXT];

	if (say(message, why))
		fail_msg("%s: %s", message, why);
}

static bool status_has(const char *what)
{
	char *status = rows(&s.f, DM_DO_STATUS, "d", 0);
	bool has = strstr(status, what);

	if (!has)
		print_message("# status: %s", status);
	free(status);
	return has;
}

/* What has failed is told by the commands that show the device. */
static bool was_told(const char *what)
{
	struct dm_cmd c = { .verb = DM_DO_STATUS, .name = "d" };
	bool was;

	assert_int_equal(run(&s.f, &c, NULL), 0);
	was = strstr(text_str(&c.reply.warnings), what);
	dm_reply_free(&c.reply);
	return was;
}

static void begin_with(const char *options)
{
	char line[256];

	memset(&s, 0, sizeof(s));
	s.dice = 1;
	fixture_begin(&s.f, 2, AIO_AUTO);
	s.base = make_device(&s.f, "base", "0 2048 linear memory,size=1M:below 0");
	snprintf(line, sizeof(line), "0 2048 powercut memory,size=1M:below 0 seed 1%s", options);
	s.d = make_device(&s.f, "d", line);
	dm_open(s.d);
	dm_open(s.base);
}

static void end(void)
{
	dm_close(s.base);
	dm_close(s.d);
	fixture_end(&s.f);
}

static void do_write(uint32_t flags, uint64_t sector, uint64_t count)
{
	static uint8_t data[SECTORS * 512];
	uint64_t i;

	s.stamps++;
	for (i = 0; i < count; i++)
		fill(data + i * 512, sector + i, s.stamps);
	assert_int_equal(io(DM_WRITE, flags, sector, count, data), 0);
	s.steps[s.n++] = (struct step){ sector, count, flags, s.stamps };
}

static void do_zero(uint32_t flags, uint64_t sector, uint64_t count)
{
	assert_int_equal(io(roll(2) ? DM_ZEROES : DM_DISCARD, flags, sector, count, NULL), 0);
	s.steps[s.n++] = (struct step){ sector, count, flags, 0 };
}

static void do_flush(void)
{
	unsigned i;

	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
	for (i = 0; i < s.n; i++)
		s.steps[i].durable = true;
}

static void do_something(void)
{
	uint64_t sector = roll(SECTORS), count = 1 + roll(roll(4) ? 16 : 200);

	if (count > SECTORS - sector)
		count = SECTORS - sector;
	switch (roll(12)) {
	case 0:
		if (!s.rarely || !roll(10))
			do_flush();
		break;
	case 1:
		do_zero(roll(3) ? 0 : DM_FUA, sector, count);
		break;
	default:
		do_write(roll(5) ? 0 : DM_FUA, sector, count);
	}
}

/* The unit's content before any step; and then with each step that touches it. */
static void unit_at_start(uint32_t unit[UNIT], uint64_t u)
{
	memcpy(unit, &s.start[u * UNIT], UNIT * sizeof(*unit));
}

static bool unit_after(uint32_t unit[UNIT], uint64_t u, const struct step *x)
{
	uint64_t i, sector;
	bool touched = false;

	for (i = 0; i < UNIT; i++) {
		sector = u * UNIT + i;
		if (sector < x->sector || sector >= x->sector + x->count)
			continue;
		unit[i] = x->stamp;
		touched = true;
	}
	return touched;
}

/* Is GOT one of the versions from the durable one on? With ONLY: the durable one itself, or with LAST the newest? */
enum which { ANY, ONLY_DURABLE, ONLY_LAST };
static bool unit_is_allowed(const uint32_t got[UNIT], uint64_t u, enum which which)
{
	uint32_t unit[UNIT];
	bool match;
	unsigned i;

	unit_at_start(unit, u);
	match = !memcmp(got, unit, sizeof(unit));
	for (i = 0; i < s.n; i++) {
		if (!unit_after(unit, u, &s.steps[i]))
			continue;
		if (s.steps[i].durable || which == ONLY_LAST)
			match = false;
		if (which != ONLY_DURABLE || s.steps[i].durable)
			match |= !memcmp(got, unit, sizeof(unit));
	}
	return match;
}

static void check(struct dm_device *d, enum which which, bool becomes_durable)
{
	static uint8_t data[SECTORS * 512];
	static uint32_t got[SECTORS];
	uint64_t i;

	assert_int_equal(request(&s.f, d, 0, DM_READ, 0, 0, SECTORS, data), 0);
	for (i = 0; i < SECTORS; i++)
		got[i] = stamp_of(data + i * 512, i);
	for (i = 0; i < SECTORS / UNIT; i++)
		if (!unit_is_allowed(&got[i * UNIT], i, which))
			fail_msg("unit %u has a content that it may not have", (unsigned)i);
	if (!becomes_durable)
		return;
	memcpy(s.start, got, sizeof(got));
	s.n = 0;
}

static enum which which_of(const char *mode)
{
	return !strcmp(mode, "lost") ? ONLY_DURABLE : !strcmp(mode, "kept") ? ONLY_LAST : ANY;
}

static void cut_and_restore(const char *mode)
{
	char message[64];
	uint8_t data[512];

	snprintf(message, sizeof(message), "cut %s seed %u", mode, roll(1 << 20));
	must_say(message);
	assert_int_equal(io(DM_READ, 0, 0, 1, data), -EIO);
	assert_int_equal(io(DM_WRITE, 0, 0, 1, data), -EIO);
	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), -EIO);
	check(s.base, ONLY_DURABLE, false);
	must_say("restore");
	check(s.d, which_of(mode), true);
	check(s.base, ONLY_DURABLE, false);
}

static unsigned long spilled_sectors(void)
{
	char *status = rows(&s.f, DM_DO_STATUS, "d", 0);
	unsigned long n = strtoul(strrchr(status, ' '), NULL, 10);

	free(status);
	return n;
}

static void random_workloads(const char *options)
{
	static const char *const modes[] = { "lost", "kept", "prefix", "subset", "reordered", "torn", "any" };
	unsigned i, k, spilled = 0;

	begin_with(options);
	s.rarely = *options;
	for (i = 0; i < 28; i++) {
		for (k = roll(STEPS - 1); k; k--)
			do_something();
		spilled += spilled_sectors() > 0;
		check(s.d, ONLY_LAST, false);
		check(s.base, ONLY_DURABLE, false);
		cut_and_restore(modes[i % 7]);
	}
	assert_true(status_has("up 28 0 0"));
	assert_int_equal(spilled > 5, *options != 0);
	end();
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
	begin_with(" sector atomic");
	for (seed = 0; n < 3 * 4 * 3 && seed < 3000; seed++) {
		memset(data, 0, sizeof(data));
		assert_int_equal(io(DM_WRITE, DM_FUA, 0, 3, data), 0);
		for (k = 0; k < 3; k++) {
			memset(data, (int)k + 1, sizeof(data));
			assert_int_equal(io(DM_WRITE, 0, writes[k].sector, writes[k].count, data), 0);
		}
		snprintf(message, sizeof(message), "cut %s seed %u", seed % 2 ? "any" : "torn", seed);
		must_say(message);
		must_say("restore");
		assert_int_equal(io(DM_READ, 0, 0, 3, data), 0);
		assert_true(data[0] != 2 && data[1024] != 1);
		n += !seen[data[0]][data[512]][data[1024]];
		seen[data[0]][data[512]][data[1024]] = true;
	}
	assert_int_equal(n, 3 * 4 * 3);
	end();
}

static void a_seed_plays_the_same_cut_again(void **state)
{
	static uint8_t first[SECTORS * 512], again[SECTORS * 512];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin_with("");
		for (k = 0; k < 200; k++)
			do_write(0, roll(SECTORS - 16), 1 + roll(16));
		must_say("cut any seed 77");
		assert_true(status_has("cut 0 200 "));
		assert_true(status_has(" 77 any "));
		must_say("restore");
		assert_int_equal(io(DM_READ, 0, 0, SECTORS, i ? again : first), 0);
		end();
	}
	assert_memory_equal(first, again, sizeof(first));
}

static void triggers_cut_by_themselves(void **state)
{
	uint8_t data[512] = { 1 };
	unsigned i;

	(void)state;
	begin_with("");
	must_say("cut after 3 writes");
	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(io(DM_WRITE, i == 1 ? DM_FUA : 0, i, 1, data), 0);
	assert_int_equal(io(DM_WRITE, 0, 9, 1, data), -EIO);
	assert_true(status_has("cut 0 "));
	assert_true(was_told("write of sector 9 failed: the power is off"));
	must_say("restore");
	must_say("cut after 2 flushes");
	assert_true(status_has(" after 2 flushes"));
	for (i = 0; i < 2; i++)
		assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), -EIO);
	must_say("restore");
	must_say("cut at mark here");
	must_say("mark there");
	assert_int_equal(io(DM_WRITE, 0, 9, 1, data), 0);
	must_say("mark here");
	assert_int_equal(io(DM_WRITE, 0, 9, 1, data), -EIO);
	assert_int_equal(say("mark here", NULL), -EIO);
	must_say("restore");
	must_say("cut after 1 writes");
	must_say("cut never");
	assert_int_equal(io(DM_WRITE, 0, 9, 1, data), 0);
	assert_int_equal(io(DM_WRITE, 0, 9, 1, data), 0);
	end();
}

/* Those who hang wait, are not carried out, and fail: at a restore that is refused, too. */
static void what_hangs_fails_at_the_restore_and_is_never_carried_out(void **state)
{
	uint8_t data[512] = { 1 }, got[512];
	struct job jobs[3];
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	begin_with("");
	must_say("cut lost hang");
	job_start(&s.f, &jobs[0], s.d, 0, DM_WRITE, 0, 5, 1, data);
	job_start(&s.f, &jobs[1], s.d, 1, DM_READ, 0, 5, 1, got);
	job_start(&s.f, &jobs[2], s.d, 1, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&s.f);
	for (i = 0; i < 3; i++)
		assert_false(jobs[i].over);
	dm_write_begin(s.d);
	assert_int_equal(say("restore", why), -EBUSY);
	assert_non_null(strstr(why, "open for writing"));
	for (i = 0; i < 3; i++)
		assert_int_equal(job_wait(&jobs[i]), -EIO);
	dm_write_end(s.d);
	must_say("restore");
	assert_int_equal(io(DM_READ, 0, 5, 1, got), 0);
	assert_int_equal(got[0], 0);
	end();
}

/* A device above that is open for writing counts, too. */
static void restore_refuses_while_somebody_above_writes(void **state)
{
	struct dm_device *upper;
	char why[ERR_TEXT];

	(void)state;
	begin_with("");
	upper = make_device(&s.f, "upper", "0 100 linear d 0");
	must_say("cut");
	dm_write_begin(upper);
	assert_int_equal(say("restore", why), -EBUSY);
	assert_non_null(strstr(why, "'upper'"));
	dm_write_end(upper);
	must_say("restore");
	assert_int_equal(say("restore", why), -EINVAL);
	end();
}

/* The cache is the disk's: another table on it changes nothing, and dmuse's own flushes make nothing durable. */
static void swaps_and_suspends_neither_lose_nor_flush(void **state)
{
	(void)state;
	begin_with("");
	do_write(0, 0, 64);
	do_write(DM_FUA, 64, 64);
	assert_int_equal(verb(&s.f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&s.f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(reload(&s.f, "d", "0 2048 powercut memory,size=1M:below 0 seed 5 hang", NULL), 0);
	assert_int_equal(verb(&s.f, DM_DO_RESUME, "d", 0, NULL), 0);
	check(s.d, ONLY_LAST, false);
	check(s.base, ONLY_DURABLE, false);
	assert_true(status_has("up 0 1 64 5 any"));
	end();
}

/* A request that hangs does not keep the device from being suspended, or removed. */
static void suspending_lets_go_of_what_hangs(void **state)
{
	struct job j;
	uint8_t data[512];

	(void)state;
	begin_with(" hang");
	must_say("cut");
	job_start(&s.f, &j, s.d, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&s.f);
	assert_false(j.over);
	assert_int_equal(verb(&s.f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), -EIO);
	assert_int_equal(verb(&s.f, DM_DO_RESUME, "d", 0, NULL), 0);
	job_start(&s.f, &j, s.d, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&s.f);
	assert_false(j.over);
	must_say("restore");
	assert_int_equal(job_wait(&j), -EIO);
	end();
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
	begin_with(" memory 2048");
	do_write(0, 0, 1024);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	r = io(DM_WRITE, 0, 0, SECTORS, data);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(r, -EFBIG);
	assert_true(was_told("the spill file in /var/tmp: File too large"));
	check(s.d, ONLY_LAST, false);
	do_write(0, 0, SECTORS);
	check(s.d, ONLY_LAST, false);
	do_flush();
	check(s.base, ONLY_DURABLE, false);
	end();
}

/* A flush that fails below makes nothing durable, and a later one tries again. */
static void a_flush_that_fails_below_is_told(void **state)
{
	uint8_t data[512] = { 1 };

	(void)state;
	begin_with("");
	assert_int_equal(reload(&s.f, "base", "0 2048 error", NULL), 0);
	assert_int_equal(create(&s.f, "weak", "0 2048 linear memory,size=1M:weak 0", NULL), 0);
	assert_int_equal(create(&s.f, "on", "0 2048 powercut weak 0 seed 1", NULL), 0);
	assert_int_equal(request(&s.f, dm_find_name(s.f.world, "on"), 0, DM_WRITE, 0, 0, 1, data), 0);
	assert_int_equal(reload(&s.f, "weak", "0 2048 error", NULL), 0);
	assert_int_equal(verb(&s.f, DM_DO_RESUME, "weak", 0, NULL), 0);
	assert_int_equal(request(&s.f, dm_find_name(s.f.world, "on"), 0, DM_FLUSH, 0, 0, 0, NULL), -EIO);
	assert_int_equal(request(&s.f, dm_find_name(s.f.world, "on"), 0, DM_WRITE, DM_FUA, 8, 1, data), -EIO);
	assert_int_equal(reload(&s.f, "weak", "0 2048 linear memory,size=1M:weak 0", NULL), 0);
	assert_int_equal(verb(&s.f, DM_DO_RESUME, "weak", 0, NULL), 0);
	assert_int_equal(request(&s.f, dm_find_name(s.f.world, "on"), 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	end();
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
	begin_with("");
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_true(create(&s.f, "x", wrong[i].line, why) < 0);
		if (!strstr(why, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, why);
	}
	assert_int_equal(say("cut some", why), -EINVAL);
	assert_int_equal(say("cut after x writes", why), -EINVAL);
	assert_int_equal(say("cut seed", why), -EINVAL);
	assert_int_equal(say("jump", why), -EINVAL);
	assert_true(status_has("up 0 0 0 1 any 0 0 0"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_restore_shows_was_promised),
		cmocka_unit_test(it_is_the_same_with_a_spill_file),
		cmocka_unit_test(all_allowed_states_are_reached),
		cmocka_unit_test(a_seed_plays_the_same_cut_again),
		cmocka_unit_test(triggers_cut_by_themselves),
		cmocka_unit_test(what_hangs_fails_at_the_restore_and_is_never_carried_out),
		cmocka_unit_test(restore_refuses_while_somebody_above_writes),
		cmocka_unit_test(swaps_and_suspends_neither_lose_nor_flush),
		cmocka_unit_test(suspending_lets_go_of_what_hangs),
		cmocka_unit_test(a_full_spill_file_fails_the_write),
		cmocka_unit_test(a_flush_that_fails_below_is_told),
		cmocka_unit_test(words_that_do_not_fit_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
