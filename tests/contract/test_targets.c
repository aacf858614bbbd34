/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every target must do, tested on the sample of each (sample.h): its text can be loaded again, I/O agrees with a
 * model however it is split, flush, FUA, discard and zeroes do what they say and nothing else, bad words get a
 * sentence, swaps lose nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

#define LINES 3u
#define SECTORS (LINES * SAMPLE_SECTORS)

struct subject {
	struct fixture f;
	const struct dm_type *type;
	const struct sample *sample;
	struct dm_device *d;
	uint8_t model[SECTORS * 512];
	uint32_t seed;
};

static struct subject s;

static uint32_t next_random(uint32_t below)
{
	s.seed = s.seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)s.seed * below) >> 32);
}

/* A line that must be the only one of its table has a device of its own, on which the line of the table is. */
static bool is_alone(void)
{
	return s.type->flags & DM_TARGET_SINGLETON;
}

/* The device with the type's line. */
static const char *subject(void)
{
	return is_alone() ? "sub" : "d";
}

static void line_alone(char *out, size_t size)
{
	struct sample_words words;
	char why[ERR_TEXT];

	sample_split(&words, s.sample->words);
	sample_line(out, size, s.type, &words, 0);
	if (sample_create(&s.f, s.sample, subject(), out, why))
		fail_msg("%s", why);
	snprintf(out, size, "%u %u linear sub 0", SAMPLE_SECTORS, SAMPLE_SECTORS);
}

/* The type's line between two plain ones, so that requests cross its ends; each is on a different place. */
static void table_text(char *out, size_t size)
{
	struct sample_words words;
	char line[1024];

	sample_split(&words, s.sample->words);
	if (is_alone())
		line_alone(line, sizeof(line));
	else
		sample_line(line, sizeof(line), s.type, &words, SAMPLE_SECTORS);
	snprintf(out, size, "0 %u linear memory,size=8M:before 8\n%s\n%u %u linear memory,size=8M:after 24", SAMPLE_SECTORS,
		 line, 2 * SAMPLE_SECTORS, SAMPLE_SECTORS);
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&s.f, s.d, next_random(s.f.world->n_io), op, flags, sector, count, data);
}

static bool touches_subject(uint64_t sector, uint64_t count)
{
	return sector < 2 * SAMPLE_SECTORS && sector + count > SAMPLE_SECTORS;
}

/* The model's answer to OP on a sector, to which NEXT is being written. */
static int model_sector(enum dm_op op, uint64_t sector, uint8_t next[512])
{
	if (!s.sample->model || !touches_subject(sector, 1))
		return 0;
	return s.sample->model(op, &s.model[sector * 512], next);
}

/* 0, or the -errno that a request must get. */
static int refusal(enum dm_op op, uint64_t sector, uint64_t count)
{
	uint8_t next[512] = { 0 };
	uint64_t i;
	int r = 0;

	if (s.sample->readonly && op != DM_READ)
		return -EROFS;
	for (i = 0; i < count && !r; i++)
		r = model_sector(op, sector + i, next);
	return r;
}

/* If a request fails, it is undefined how much of it was done in the plain lines. */
static void forget_plain_lines(void)
{
	if (s.sample->readonly)
		return;
	assert_int_equal(io(DM_ZEROES, 0, 0, SAMPLE_SECTORS, NULL), 0);
	assert_int_equal(io(DM_ZEROES, 0, 2 * SAMPLE_SECTORS, SAMPLE_SECTORS, NULL), 0);
	memset(s.model, 0, SAMPLE_SECTORS * 512);
	memset(&s.model[2 * SAMPLE_SECTORS * 512], 0, SAMPLE_SECTORS * 512);
}

static int begin(void **state)
{
	const struct sample_type *t = *state;
	char table[2048], why[ERR_TEXT];

	memset(&s, 0, sizeof(s));
	s.type = t->type;
	s.sample = t->sample;
	disk_reset();
	if (s.sample->format)
		s.sample->format();
	sample_world(&s.f, s.sample);
	table_text(table, sizeof(table));
	if (sample_create(&s.f, s.sample, "d", table, why))
		fail_msg("%s", why);
	s.d = dm_find_name(s.f.world, "d");
	dm_open(s.d);
	if (s.sample->content)
		s.sample->content(&s.model[SAMPLE_SECTORS * 512]);
	if (!refusal(DM_ZEROES, 0, SECTORS))
		assert_int_equal(io(DM_ZEROES, 0, 0, SECTORS, NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(s.d);
	fixture_end(&s.f);
	return 0;
}

/* Updates the model: COUNT sectors from SECTOR are written with DATA (NULL: zeros). */
static void model_write(uint64_t sector, uint64_t count, const uint8_t *data)
{
	uint8_t next[512];
	uint64_t i;

	for (i = 0; i < count; i++) {
		memset(next, 0, sizeof(next));
		if (data)
			memcpy(next, data + i * 512, sizeof(next));
		model_sector(data ? DM_WRITE : DM_ZEROES, sector + i, next);
		memcpy(&s.model[(sector + i) * 512], next, sizeof(next));
	}
}

static void check_range(uint64_t sector, uint64_t count)
{
	static uint8_t data[SECTORS * 512];
	int must = refusal(DM_READ, sector, count);

	assert_int_equal(io(DM_READ, 0, sector, count, data), must);
	if (!must)
		assert_memory_equal(data, &s.model[sector * 512], count * 512);
}

static void change_range(uint64_t sector, uint64_t count)
{
	static uint8_t data[SECTORS * 512], before[SECTORS * 512];
	uint32_t kind = next_random(8), flags = next_random(2) ? DM_FUA : 0;
	enum dm_op op = kind ? DM_WRITE : DM_ZEROES;
	int must = refusal(op, sector, count);
	uint64_t i;

	for (i = 0; i < count * 512; i++)
		data[i] = (uint8_t)(next_random(256) | 1);
	if (!kind && next_random(2))
		flags |= DM_KEEP;
	memcpy(before, data, count * 512);
	assert_int_equal(io(op, flags, sector, count, kind ? data : NULL), must);
	assert_memory_equal(before, data, count * 512);		/* a write must not change the writer's buffer */
	if (must)
		forget_plain_lines();
	else
		model_write(sector, count, kind ? data : NULL);
}

static void io_agrees_with_a_model(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 1500; i++) {
		uint64_t sector = next_random(SECTORS);
		uint64_t most = i % 50 ? 40 : SECTORS, count = 1 + next_random((uint32_t)(SECTORS - sector < most ? SECTORS - sector : most));

		if (next_random(2))
			change_range(sector, count);
		else
			check_range(sector, count);
	}
	for (i = 0; i < SECTORS; i += 1)
		check_range(i, 1);
	check_range(0, SAMPLE_SECTORS);
	check_range(2 * SAMPLE_SECTORS, SAMPLE_SECTORS);
}

static void every_edge_can_be_crossed(void **state)
{
	static const int around[] = { -17, -9, -8, -7, -1, 0, 1, 7, 8, 9 };
	uint64_t edge;
	size_t i, j;

	(void)state;
	for (edge = SAMPLE_SECTORS; edge <= 2 * SAMPLE_SECTORS; edge += SAMPLE_SECTORS)
		for (i = 0; i < 10; i++)
			for (j = 1; j < 30; j += 4) {
				change_range(edge + (uint64_t)around[i], j);
				check_range(edge + (uint64_t)around[i] - 1, j + 2);
			}
}

static void what_is_outside_is_refused(void **state)
{
	int writes_outside = s.sample->readonly ? -EROFS : -EIO;
	uint8_t data[1024];

	(void)state;
	assert_int_equal(io(DM_READ, 0, SECTORS, 1, data), -EIO);
	assert_int_equal(io(DM_READ, 0, SECTORS - 1, 2, data), -EIO);
	assert_int_equal(io(DM_READ, 0, UINT64_MAX, 2, data), -EIO);
	assert_int_equal(io(DM_WRITE, 0, SECTORS - 1, UINT64_MAX, data), writes_outside);
	assert_int_equal(io(DM_DISCARD, 0, 1, UINT64_MAX, NULL), writes_outside);
	assert_int_equal(io(DM_READ, 0, SECTORS, 0, data), 0);
}

static void discard_touches_nothing_else(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 60; i++) {
		uint64_t sector = next_random(SECTORS - 200), count = 1 + next_random(199);
		int must = refusal(DM_DISCARD, sector, count);

		change_range(sector ? sector - 1 : 0, count + 1);
		assert_int_equal(io(DM_DISCARD, next_random(2) ? DM_FUA : 0, sector, count, NULL), must);
		if (must) {
			forget_plain_lines();
			continue;
		}
		assert_int_equal(io(DM_ZEROES, 0, sector, count, NULL), 0);	/* what it left is undefined; the rest is not */
		model_write(sector, count, NULL);
		check_range(0, refusal(DM_READ, 0, SECTORS) ? SAMPLE_SECTORS : SECTORS);
		check_range(2 * SAMPLE_SECTORS, SAMPLE_SECTORS);
	}
}

static void a_flush_succeeds(void **state)
{
	(void)state;
	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
}

static int extent(uint64_t sector, uint64_t *count, uint32_t *flags)
{
	struct job j;

	job_start(&s.f, &j, s.d, 0, DM_EXTENT, 0, sector, SECTORS - sector, NULL);
	job_wait(&j);
	*count = j.req.count;
	*flags = j.req.flags & (DM_HOLE | DM_ZERO);
	return j.err;
}

/* The type's line on devices that fail; false: it uses none. */
static bool upon_failing(const char *name)
{
	struct sample_words words;
	char line[1024], why[ERR_TEXT];
	size_t i, n = 0;

	sample_split(&words, s.sample->words);
	for (i = 0; i < words.n; i++)
		if (!strncmp(words.at[i], "disk:", 5)) {
			snprintf(words.at[i], sizeof(words.at[i]), "bad%zu", n++);
			assert_int_equal(create(&s.f, words.at[i], "0 16384 error", NULL), 0);
		}
	sample_line(line, sizeof(line), s.type, &words, 0);
	if (s.sample->reads_first) {
		assert_int_not_equal(sample_create(&s.f, s.sample, name, line, why), 0);
		return false;
	}
	if (n && sample_create(&s.f, s.sample, name, line, why))
		fail_msg("%s", why);
	return n;
}

/* Types that count failures of what is below show them, and each is an event; for others there is no event. */
static void failures_below_are_events(void **state)
{
	struct dm_device *d;
	char *before, *after;
	uint8_t data[512];

	(void)state;
	if (s.sample->does_io || !upon_failing("upon"))
		return;
	d = dm_find_name(s.f.world, "upon");
	dm_open(d);
	before = rows(&s.f, DM_DO_STATUS, "upon", 0);
	assert_int_equal(request(&s.f, d, 0, DM_READ, 0, SAMPLE_SECTORS, 1, data), -EIO);	/* beyond its end: not below */
	assert_int_equal(info(&s.f, "upon").event_nr, 0);
	assert_int_equal(request(&s.f, d, 0, DM_READ, 0, 0, 1, data), -EIO);
	assert_int_equal(info(&s.f, "upon").event_nr, s.type->failed ? 1 : 0);
	after = rows(&s.f, DM_DO_STATUS, "upon", 0);
	assert_int_equal(strcmp(before, after) != 0, s.type->failed != NULL);
	dm_close(d);
	free(before);
	free(after);
}

/* Extents cover the device without gaps, and what they report as zero reads as zeros. */
static void extents_tell_the_truth(void **state)
{
	uint64_t sector, count, i;
	uint32_t flags;

	(void)state;
	for (i = 0; i < 20; i++)
		change_range(next_random(SECTORS - 20), 1 + next_random(19));
	for (sector = 0; sector < SECTORS; sector += count) {
		assert_int_equal(extent(sector, &count, &flags), 0);
		assert_true(count > 0 && count <= SECTORS - sector);
		for (i = 0; (flags & DM_ZERO) && i < count * 512; i++)
			assert_int_equal(s.model[sector * 512 + i], 0);
	}
}

/* TEXT as an inactive table shows it; TEXT is freed. */
static char *as_inactive(char *text)
{
	const struct sample *sample = s.sample;
	char *at = sample->inactive ? strstr(text, sample->words) : NULL, *out;

	if (!at)
		return text;
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, sample->inactive, at + strlen(sample->words)) > 0);
	free(text);
	return out;
}

static void the_text_loads_again(void **state)
{
	char *first = rows(&s.f, DM_DO_TABLE, subject(), 0), *second, why[ERR_TEXT];

	(void)state;
	if (sample_reload(&s.f, s.sample, subject(), first, why))
		fail_msg("%s: %s", why, first);
	second = rows(&s.f, DM_DO_TABLE, subject(), DM_WITH_INACTIVE);
	first = as_inactive(first);
	assert_string_equal(first, second);
	free(second);
	second = rows(&s.f, DM_DO_STATUS, subject(), 0);
	assert_non_null(strstr(second, s.type->name));
	free(first);
	free(second);
}

static void the_type_describes_itself(void **state)
{
	(void)state;
	assert_true(strlen(s.type->name) > 0 && strlen(s.type->name) < 16);	/* struct dm_target_spec */
	assert_true(strlen(s.type->about) > 10);
	assert_non_null(s.type->usage);
	assert_true(s.type->version[0] > 0);
}

static unsigned refused;

/* A refusal is a sentence that says where the error is; what is accepted must be loadable again. */
static void try_words(const struct sample_words *words)
{
	char line[2048], why[ERR_TEXT];

	sample_line(line, sizeof(line), s.type, words, 0);
	if (!sample_reload(&s.f, s.sample, subject(), line, why)) {
		verb(&s.f, DM_DO_CLEAR, subject(), 0, NULL);
		return;
	}
	refused++;
	if (strncmp(why, "table line 1: ", 14) || !strstr(why, s.type->name) || strchr(why, '\n'))
		fail_msg("no good sentence for '%s': %s", line, why);
	assert_false(info(&s.f, subject()).inactive);
}

static void bad_words_get_a_sentence(void **state)
{
	static const char *const bad[] = { "38x", "-1", "1.5", "0x10", "18446744073709551616", "18446744073709551615",
					   "/no/such/file", "9999999", "'", "memory:unknown", "memory,size=1x:m", "memory,size=0:m",
					   "252:9999", "nothing:like,it", "file,unknown=1:/dev/null", "/", "/dev/null", "0", "" };
	struct sample_words good, words;
	size_t i, j;

	(void)state;
	sample_split(&good, s.sample->words);
	refused = 0;
	for (i = 0; i < good.n; i++)
		for (j = 0; j < sizeof(bad) / sizeof(*bad); j++) {
			words = good;
			snprintf(words.at[i], sizeof(words.at[i]), "%s", bad[j]);
			try_words(&words);
		}
	for (i = 0; i < good.n; i++) {		/* truncated */
		words = good;
		words.n = i;
		try_words(&words);
	}
	words = good;
	strcpy(words.at[words.n++], "extra");
	try_words(&words);
	if (good.n)
		assert_true(refused > good.n * 12);
}

static const struct {
	const char *name;
	CMUnitTestFunction run;
} contracts[] = {
	{ "describes itself", the_type_describes_itself },
	{ "its text loads again", the_text_loads_again },
	{ "I/O agrees with a model", io_agrees_with_a_model },
	{ "every edge can be crossed", every_edge_can_be_crossed },
	{ "what is outside is refused", what_is_outside_is_refused },
	{ "discard touches nothing else", discard_touches_nothing_else },
	{ "a flush succeeds", a_flush_succeeds },
	{ "failures below are events", failures_below_are_events },
	{ "extents tell the truth", extents_tell_the_truth },
	{ "bad words get a sentence", bad_words_get_a_sentence },
};

#define CONTRACTS (sizeof(contracts) / sizeof(*contracts))

int main(void)
{
	static struct CMUnitTest tests[64 * CONTRACTS];
	static char names[64 * CONTRACTS][64];
	size_t i, j, n = 0;

	for (i = 0; sample_types[i].type; i++)
		for (j = 0; j < CONTRACTS; j++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s", sample_types[i].type->name, contracts[j].name);
			tests[n] = (struct CMUnitTest){ names[n], contracts[j].run, begin, end, (void *)(uintptr_t)&sample_types[i] };
		}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("targets", tests, n, NULL, NULL);
}
