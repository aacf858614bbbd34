/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power is cut after each write of a short run, on each sample. A new world then loads the line again, and each
 * sector must have what was last durable there or what was written later. What else a target promises is checked by its
 * sample (sample.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

#define STEPS 14u
#define REACH 160u		/* sectors of the line that are written */

static struct {
	struct fixture f;
	const struct sample_type *type;
	struct dm_device *d;
	uint8_t first[REACH][512];	/* the content of the line before any step */
	uint32_t allowed[REACH];	/* one bit for each step that may have written a sector's content; bit 0: none */
	uint8_t last[REACH];		/* the last step that was answered */
	uint32_t seed;
} s;

static uint32_t next_random(uint32_t below)
{
	s.seed = s.seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)s.seed * below) >> 32);
}

/* The data that step STEP writes to SECTOR. */
static void step_data(uint8_t out[512], unsigned step, uint64_t sector)
{
	memset(out, (int)step, 512);
	memcpy(out, &sector, sizeof(sector));
}

static void world_begin(void)
{
	struct sample_words words;
	char line[1024], why[ERR_TEXT];

	sample_world(&s.f, s.type->sample);
	sample_split(&words, s.type->sample->words);
	sample_line(line, sizeof(line), s.type->type, &words, 0);
	if (sample_create(&s.f, s.type->sample, "d", line, why))
		fail_msg("%s", why);
	s.d = dm_find_name(s.f.world, "d");
	dm_open(s.d);
}

static void world_end(void)
{
	dm_close(s.d);
	fixture_end(&s.f);
}

static void disks_format(void)
{
	disk_reset();
	if (s.type->sample->format)
		s.type->sample->format();
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&s.f, s.d, next_random(s.f.world->n_io), op, flags, sector, count, data);
}

/* Everything that was answered is durable. */
static void note_durable(uint64_t sector, uint64_t count)
{
	for (; count; sector++, count--)
		s.allowed[sector] = 1u << s.last[sector];
}

static void step_flush(void)
{
	if (!io(DM_FLUSH, 0, 0, 0, NULL) && !disk_is_cut())
		note_durable(0, REACH);
}

static void step_write(unsigned step)
{
	static uint8_t data[REACH][512];
	uint64_t sector = next_random(REACH - 24), count = 1 + next_random(24), i;
	uint32_t flags = next_random(3) ? 0 : DM_FUA;

	for (i = 0; i < count; i++) {
		step_data(data[i], step, sector + i);
		s.allowed[sector + i] |= 1u << step;
	}
	if (io(DM_WRITE, flags, sector, count, data) || disk_is_cut())
		return;
	memset(&s.last[sector], (int)step, count);
	if (flags)
		note_durable(sector, count);
}

static void run_steps(void)
{
	unsigned step;

	s.seed = 1;
	memset(s.last, 0, sizeof(s.last));
	for (step = 0; step < REACH; step++)
		s.allowed[step] = 1;
	for (step = 1; step <= STEPS; step++)
		if (step % 5)
			step_write(step);
		else
			step_flush();
}

static bool sector_is_allowed(uint64_t sector, const uint8_t got[512])
{
	uint8_t want[512];
	unsigned step;

	if ((s.allowed[sector] & 1) && !memcmp(got, s.first[sector], 512))
		return true;
	for (step = 1; step <= STEPS; step++) {
		step_data(want, step, sector);
		if ((s.allowed[sector] >> step & 1) && !memcmp(got, want, 512))
			return true;
	}
	return false;
}

static void check_promise(unsigned cut, enum disk_luck luck)
{
	static uint8_t data[REACH][512];
	uint64_t sector;

	assert_int_equal(io(DM_READ, 0, 0, REACH, data), 0);
	for (sector = 0; sector < REACH; sector++)
		if (!sector_is_allowed(sector, data[sector]))
			fail_msg("power cut after write %u, case %d: sector %u holds neither what was durable nor what came later", cut,
				 luck, (unsigned)sector);
}

static void cut_after(unsigned writes, enum disk_luck luck)
{
	disks_format();
	disk_cut_after(writes);
	world_begin();
	run_steps();
	world_end();
	disk_power_on(luck);
	world_begin();
	if (!s.type->sample->model)
		check_promise(writes, luck);
	if (s.type->sample->crash)
		s.type->sample->crash(&s.f);
	world_end();
}

/* The number of writes in a run; and the content of the line before it. */
static unsigned whole_run(void)
{
	disks_format();
	world_begin();
	if (!s.type->sample->model)
		assert_int_equal(io(DM_READ, 0, 0, REACH, s.first), 0);
	run_steps();
	world_end();
	return disk_writes();
}

static void what_was_promised_outlives_a_power_cut(void **state)
{
	unsigned cut, writes, luck;

	s.type = *state;
	writes = whole_run();
	for (cut = 0; cut <= writes; cut++)
		for (luck = 0; luck < DISK_LUCKS; luck++)
			cut_after(cut, luck);
}

int main(void)
{
	static struct CMUnitTest tests[64];
	static char names[64][64];
	size_t n;

	for (n = 0; sample_types[n].type; n++) {
		snprintf(names[n], sizeof(names[n]), "%s: what was promised outlives a power cut", sample_types[n].type->name);
		tests[n] = (struct CMUnitTest){ names[n], what_was_promised_outlives_a_power_cut, NULL, NULL,
						(void *)(uintptr_t)&sample_types[n] };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("crash", tests, n, NULL, NULL);
}
