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

struct kind *kinds;
unsigned n_kinds;

/* --- what a kind does --------------------------------------------------------------------------------------------------------- */

static void stamp(uint8_t *data)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(1 + (i / DM_SECTOR * 37 + i * 11 + i / DM_SECTOR / 200 * (i % 7)) % 255);
}

static unsigned disks_in(const char *words)
{
	unsigned most = 0;

	for (; (words = strstr(words, "disk:")); words++)
		if ((unsigned)atoi(words + 5) + 1 > most)
			most = (unsigned)atoi(words + 5) + 1;
	return most;
}

static unsigned count_disks(const struct kind *k)
{
	const struct sample_other *o;
	unsigned most = disks_in(k->words);

	for (o = k->sample->others; o && o->name; o++)
		most = disks_in(o->table) > most ? disks_in(o->table) : most;
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

	k->placed = k->how == KIND_KEEPS && !k->sample->moves;
	for (i = 0; k->placed && i < SAMPLE_SECTORS; i++)
		k->placed = place_sector(k, i, data);
}

void kind_put(const struct kind *k, const uint8_t *data)
{
	unsigned n;

	for (n = 0; n < SAMPLE_SECTORS; n++)
		memcpy(disk_bytes(k->at[n].disk) + k->at[n].sector * DM_SECTOR, data + n * DM_SECTOR, DM_SECTOR);
}

static bool are_zeros(const uint8_t *data)
{
	return !data[0] && !memcmp(data, data + 1, BYTES - 1);
}

static void try_write(struct kind *k, struct fixture *f, struct dm_device *d, uint8_t *data)
{
	uint8_t *seen = malloc(BYTES);

	assert_non_null(seen);
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
	free(seen);
}

static void try_io(struct kind *k, struct fixture *f, struct dm_device *d, uint8_t *data)
{
	if (request(f, d, 0, DM_READ, 0, 0, SAMPLE_SECTORS, k->before))
		memset(k->before, 0, sizeof(k->before));
	if (k->sample->readonly)
		k->how = KIND_READS;
	else
		try_write(k, f, d, data);
}

/* A device of one such line, on fresh disks, on which DATA is where the kind puts it. */
static struct dm_device *probe(struct kind *k, struct fixture *f, const uint8_t *data)
{
	struct sample_words w;
	char line[4096], why[ERR_TEXT];
	struct dm_device *d;

	ground_reset();
	assert_int_equal(ground_take(KIND_DISKS), 0);
	if (k->sample->format)
		k->sample->format();
	if (data)
		kind_put(k, data);
	sample_world(f, k->sample);
	sample_split(&w, k->words);
	sample_line(line, sizeof(line), k->type, &w, 0);
	if (sample_create(f, k->sample, "probe", line, why))
		fail_msg("%s: %s", line, why);
	d = dm_find_name(f->world, "probe");
	dm_open(d);
	return d;
}

static void probe_end(struct fixture *f, struct dm_device *d)
{
	dm_close(d);
	fixture_end(f);
}

/* A snapshot's chunks, for example, are in its store, but it does not look for them there. */
static bool shows_what_is_put(struct kind *k, const uint8_t *data)
{
	uint8_t *seen = malloc(BYTES);
	struct fixture f;
	struct dm_device *d = probe(k, &f, data);
	bool same;

	assert_non_null(seen);
	same = !request(&f, d, 0, DM_READ, 0, 0, SAMPLE_SECTORS, seen) && !memcmp(seen, data, BYTES);
	probe_end(&f, d);
	free(seen);
	return same;
}

static void kind_find(struct kind *k, uint8_t *data)
{
	struct fixture f;
	struct dm_device *d;

	k->disks = count_disks(k);
	k->alone = k->sample->readonly || k->type->flags & DM_TARGET_SINGLETON;
	k->remembers = k->sample->does_io || k->sample->reads_first || k->sample->others;
	d = probe(k, &f, NULL);
	try_io(k, &f, d, data);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "probe", 0, NULL), 0);
	place(k, data);
	probe_end(&f, d);
	k->placed = k->placed && shows_what_is_put(k, data);
}

/* --- which there are ------------------------------------------------------------------------------------------------------------ */

static const struct way {
	const char *type, *words, *turned;
} ways[] = {
#define WAY(type, words, turned) { #type, words, turned },
#include "checker/ways.list"
#undef WAY
};

static void kind_add(const struct sample_type *s, const char *words, const char *turned, uint8_t *data)
{
	struct kind *k = &kinds[n_kinds++];

	assert_true(n_kinds <= KINDS_MAX);
	*k = (struct kind){ .type = s->type, .sample = s->sample, .words = words, .turned = turned };
	kind_find(k, data);
}

static void kinds_add(const struct sample_type *s, uint8_t *data)
{
	unsigned before = n_kinds;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].type, s->type->name))
			kind_add(s, ways[i].words, ways[i].turned, data);
	if (n_kinds == before)
		kind_add(s, s->sample->words, NULL, data);
}

void kinds_find(void)
{
	uint8_t *data = malloc(BYTES);
	const struct sample_type *s;

	kinds = calloc(KINDS_MAX, sizeof(*kinds));
	assert_non_null(data);
	assert_non_null(kinds);
	stamp(data);
	for (s = sample_types; s->type; s++)
		kinds_add(s, data);
	free(data);
}

/* --- their words ---------------------------------------------------------------------------------------------------------------- */

static const char *word_for(const struct kind *k, const struct kind_names *names, const char *word)
{
	const struct sample_other *o = k->sample->others;
	unsigned i;

	if (!strncmp(word, "disk:", 5))
		return names->disks[atoi(word + 5)];
	for (i = 0; o && o[i].name; i++)
		if (!strcmp(o[i].name, word))
			return names->others[i];
	return word;
}

static void add_words(struct text *out, const struct kind *k, const struct kind_names *names, const char *words)
{
	struct sample_words w;
	size_t i;

	sample_split(&w, words);
	for (i = 0; i < w.n; i++)
		text_printf(out, "%s%s", i ? " " : "", word_for(k, names, w.at[i]));
	text_add(out, "\n");
}

void kind_line(struct text *out, const struct kind *k, unsigned start, const struct kind_names *names, bool turned)
{
	text_printf(out, "%u %u %s ", start, SAMPLE_SECTORS, k->type->name);
	add_words(out, k, names, turned ? k->turned : k->words);
}

bool kind_other(const struct kind *k, unsigned i, const struct kind_names *names, struct text *out)
{
	const struct sample_other *o = k->sample->others;
	unsigned n;

	for (n = 0; o && o[n].name && n < i; n++)
		;
	if (!o || !o[n].name)
		return false;
	assert_true(i < KIND_OTHERS);
	add_words(out, k, names, o[n].table);
	return true;
}
