/* SPDX-License-Identifier: BSD-2-Clause */
/* See power_model.h. */
#include "support/power_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct power_model power;

unsigned model_roll(unsigned n)
{
	power.dice = power.dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(power.dice >> 33) % n;
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

int model_io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&power.f, power.d, model_roll(power.f.world->n_io), op, flags, sector, count, data);
}

int model_say(const char *message, char *why)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "d", .message = message };
	int r = run(&power.f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

void model_must_say(const char *message)
{
	char why[ERR_TEXT];

	if (model_say(message, why))
		fail_msg("%s: %s", message, why);
}

bool model_status_has(const char *what)
{
	char *status = rows(&power.f, DM_DO_STATUS, "d", 0);
	bool has = strstr(status, what);

	if (!has)
		print_message("# status: %s", status);
	free(status);
	return has;
}

/* What has failed is told by the commands that show the device. */
bool model_was_told(const char *what)
{
	struct dm_cmd c = { .verb = DM_DO_STATUS, .name = "d" };
	bool was;

	assert_int_equal(run(&power.f, &c, NULL), 0);
	was = strstr(text_str(&c.reply.warnings), what);
	dm_reply_free(&c.reply);
	return was;
}

void model_begin(const char *options)
{
	char line[256];

	memset(&power, 0, sizeof(power));
	power.dice = 1;
	fixture_begin(&power.f, 2, AIO_AUTO);
	power.base = make_device(&power.f, "base", "0 2048 linear memory,size=1M:below 0");
	snprintf(line, sizeof(line), "0 2048 powercut memory,size=1M:below 0 seed 1%s", options);
	power.d = make_device(&power.f, "d", line);
	dm_open(power.d);
	dm_open(power.base);
}

void model_end(void)
{
	dm_close(power.base);
	dm_close(power.d);
	fixture_end(&power.f);
}

void model_write(uint32_t flags, uint64_t sector, uint64_t count)
{
	static uint8_t data[SECTORS * 512];
	uint64_t i;

	power.stamps++;
	for (i = 0; i < count; i++)
		fill(data + i * 512, sector + i, power.stamps);
	assert_int_equal(model_io(DM_WRITE, flags, sector, count, data), 0);
	power.steps[power.n++] = (struct step){ sector, count, flags, power.stamps };
}

static void do_zero(uint32_t flags, uint64_t sector, uint64_t count)
{
	assert_int_equal(model_io(model_roll(2) ? DM_ZEROES : DM_DISCARD, flags, sector, count, NULL), 0);
	power.steps[power.n++] = (struct step){ sector, count, flags, 0 };
}

void model_flush(void)
{
	unsigned i;

	assert_int_equal(model_io(DM_FLUSH, 0, 0, 0, NULL), 0);
	for (i = 0; i < power.n; i++)
		power.steps[i].durable = true;
}

void model_do_something(void)
{
	uint64_t sector = model_roll(SECTORS), count = 1 + model_roll(model_roll(4) ? 16 : 200);

	if (count > SECTORS - sector)
		count = SECTORS - sector;
	switch (model_roll(12)) {
	case 0:
		if (!power.rarely || !model_roll(10))
			model_flush();
		break;
	case 1:
		do_zero(model_roll(3) ? 0 : DM_FUA, sector, count);
		break;
	default:
		model_write(model_roll(5) ? 0 : DM_FUA, sector, count);
	}
}

/* The unit's content before any step; and then with each step that touches it. */
static void unit_at_start(uint32_t unit[UNIT], uint64_t u)
{
	memcpy(unit, &power.start[u * UNIT], UNIT * sizeof(*unit));
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

static bool unit_is_allowed(const uint32_t got[UNIT], uint64_t u, enum which which)
{
	uint32_t unit[UNIT];
	bool match;
	unsigned i;

	unit_at_start(unit, u);
	match = !memcmp(got, unit, sizeof(unit));
	for (i = 0; i < power.n; i++) {
		if (!unit_after(unit, u, &power.steps[i]))
			continue;
		if (power.steps[i].durable || which == ONLY_LAST)
			match = false;
		if (which != ONLY_DURABLE || power.steps[i].durable)
			match |= !memcmp(got, unit, sizeof(unit));
	}
	return match;
}

void model_check(struct dm_device *d, enum which which, bool becomes_durable)
{
	static uint8_t data[SECTORS * 512];
	static uint32_t got[SECTORS];
	uint64_t i;

	assert_int_equal(request(&power.f, d, 0, DM_READ, 0, 0, SECTORS, data), 0);
	for (i = 0; i < SECTORS; i++)
		got[i] = stamp_of(data + i * 512, i);
	for (i = 0; i < SECTORS / UNIT; i++)
		if (!unit_is_allowed(&got[i * UNIT], i, which))
			fail_msg("unit %u has a content that it may not have", (unsigned)i);
	if (!becomes_durable)
		return;
	memcpy(power.start, got, sizeof(got));
	power.n = 0;
}
