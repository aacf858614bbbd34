/* SPDX-License-Identifier: BSD-2-Clause */
/* See kinds.h. */
#include "checker/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "checker/ground.h"

#define BYTES (SAMPLE_SECTORS * DM_SECTOR)

struct kind kinds[KINDS_MAX];
unsigned n_kinds;

static void stamp(uint8_t *data)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(1 + (i / DM_SECTOR * 37 + i * 11 + i / DM_SECTOR / 200 * (i % 7)) % 255);
}

static unsigned count_disks(const struct sample *s)
{
	const char *at = s->words;
	unsigned most = 0;

	for (; (at = strstr(at, "disk:")); at++)
		if ((unsigned)atoi(at + 5) + 1 > most)
			most = (unsigned)atoi(at + 5) + 1;
	return most;
}

/* Where sector I of DATA lies. */
static bool place_sector(struct kind *k, unsigned i, const uint8_t *data)
{
	unsigned d, s;

	for (d = 0; d < k->disks; d++)
		for (s = 0; s < GROUND_SECTORS; s++)
			if (!memcmp(ground_now(d) + s * DM_SECTOR, data + i * DM_SECTOR, DM_SECTOR)) {
				k->at[i].disk = d;
				k->at[i].sector = s;
				return true;
			}
	return false;
}

static void place(struct kind *k, const uint8_t *data)
{
	unsigned i;

	k->placed = k->how == KIND_KEEPS;
	for (i = 0; k->placed && i < SAMPLE_SECTORS; i++)
		k->placed = place_sector(k, i, data);
}

static bool are_zeros(const uint8_t *data)
{
	return !data[0] && !memcmp(data, data + 1, BYTES - 1);
}

static void try_io(struct kind *k, struct fixture *f, struct dm_device *d, uint8_t *data)
{
	uint8_t *seen = malloc(BYTES);

	assert_non_null(seen);
	dm_open(d);
	if (request(f, d, 0, DM_WRITE, 0, 0, SAMPLE_SECTORS, data))
		k->how = KIND_FAILS;
	else if (request(f, d, 0, DM_READ, 0, 0, SAMPLE_SECTORS, seen))
		fail_msg("%s: what was written cannot be read", k->type->name);
	else if (!memcmp(seen, data, BYTES))
		k->how = KIND_KEEPS;
	else if (are_zeros(seen))
		k->how = KIND_ZEROS;
	else
		fail_msg("%s: the model checker does not know what it reads: neither what was written nor zeros", k->type->name);
	request(f, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	dm_close(d);
	free(seen);
}

static void kind_find(struct kind *k, uint8_t *data)
{
	struct sample_words w;
	struct fixture f;
	char line[4096];

	ground_reset();
	assert_int_equal(ground_take(KIND_DISKS), 0);
	if (k->sample->format)
		k->sample->format();
	sample_world(&f, k->sample);
	sample_split(&w, k->sample);
	sample_line(line, sizeof(line), k->type, &w, 0);
	try_io(k, &f, make_device(&f, "probe", line), data);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "probe", 0, NULL), 0);
	place(k, data);
	fixture_end(&f);
}

void kinds_find(void)
{
	uint8_t *data = malloc(BYTES);
	const struct sample_type *s;

	assert_non_null(data);
	stamp(data);
	for (s = sample_types; s->type; s++) {
		if (s->sample->prepare) {	/* its devices would be shared by all lines of the kind */
			fprintf(stderr, "# %s is left out: its sample has prepare()\n", s->type->name);
			continue;
		}
		if (s->sample->reads_first) {	/* what it shows was on its disks before, which the model does not know */
			fprintf(stderr, "# %s is left out: it shows what its disks had before\n", s->type->name);
			continue;
		}
		if (s->sample->does_io) {	/* a mirror whose legs have all failed cannot be read until its table is loaded again */
			fprintf(stderr, "# %s is left out: a leg that has failed stays out\n", s->type->name);
			continue;
		}
		if (s->sample->readonly || s->type->flags & DM_TARGET_SINGLETON) {	/* its tables have several lines, and are written to */
			fprintf(stderr, "# %s is left out: its tables are read-only, or have one line\n", s->type->name);
			continue;
		}
		assert_true(n_kinds < KINDS_MAX);
		kinds[n_kinds] = (struct kind){ .type = s->type, .sample = s->sample, .disks = count_disks(s->sample) };
		kind_find(&kinds[n_kinds++], data);
	}
	free(data);
}

void kind_line(struct text *out, const struct kind *k, unsigned start, const char *const *names)
{
	struct sample_words w;
	size_t i;

	sample_split(&w, k->sample);
	text_printf(out, "%u %u %s", start, SAMPLE_SECTORS, k->type->name);
	for (i = 0; i < w.n; i++)
		text_printf(out, " %s", strncmp(w.at[i], "disk:", 5) ? w.at[i] : names[atoi(w.at[i] + 5)]);
	text_add(out, "\n");
}
