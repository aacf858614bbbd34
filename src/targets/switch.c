/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switch: the line is a row of regions of one size, and each region goes to one of several paths, at the same sector there.
 * At first the paths take turns; messages say otherwise for any region. For very many regions with no pattern in them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/command/ask.h"
#include "core/table/target.h"

#define SWITCH_PATHS UINT16_MAX
#define WORD_BITS 64u
#define MAP_WORDS (UINT64_C(1) << 33)	/* the most that are asked for */
#define SAVED_WORDS (UINT64_C(1) << 17)	/* that are looked at when the map is recorded: 1 MiB of it */
#define MESSAGE_REGIONS (UINT64_C(1) << 22)	/* that one message repeats: the control thread does it, in some milliseconds */

/*
 * A region has as many bits as the number of a path needs: a power of two, so that it lies in one word. In them is how many
 * turns its path is ahead of the one whose turn it would be. So a new map is all zeros, and takes memory only where messages
 * have been. Only the control thread writes.
 */
struct switch_map {
	uint64_t regions;
	uint32_t bits;
	uint64_t first, end;		/* the words in which messages have set something; control thread */
	_Atomic uint64_t *words;
};

struct switch_line {
	uint32_t n, region;		/* paths; sectors of a region */
	struct switch_map map;
	struct dm_at paths[];		/* n of them, in the table's arena */
};

static uint32_t map_bits(uint32_t paths)
{
	uint32_t bits = 1;

	while ((paths - 1) >> bits)
		bits *= 2;
	return bits;
}

/* WORD was set. */
static void map_reaches(struct switch_map *m, uint64_t word)
{
	if (m->first == m->end)
		m->first = m->end = word;
	if (word < m->first)
		m->first = word;
	if (word >= m->end)
		m->end = word + 1;
}

static uint32_t switch_get(const struct switch_line *s, uint64_t region)
{
	const struct switch_map *m = &s->map;
	uint64_t per = WORD_BITS / m->bits, word = atomic_load_explicit(&m->words[region / per], memory_order_relaxed);
	uint64_t ahead = (word >> region % per * m->bits) & ((UINT64_C(1) << m->bits) - 1);

	return (uint32_t)((region + ahead) % s->n);
}

static void switch_set(struct switch_line *s, uint64_t region, uint32_t path)
{
	struct switch_map *m = &s->map;
	uint64_t per = WORD_BITS / m->bits, ahead = (path + s->n - region % s->n) % s->n, at = region % per * m->bits;
	uint64_t word = atomic_load_explicit(&m->words[region / per], memory_order_relaxed);

	word &= ~(((UINT64_C(1) << m->bits) - 1) << at);
	atomic_store_explicit(&m->words[region / per], word | ahead << at, memory_order_relaxed);
	map_reaches(m, region / per);
}

static int switch_map_request(const struct dm_target *t, struct dm_req *r)
{
	const struct switch_line *s = t->priv;

	return dm_remap(r, &s->paths[switch_get(s, r->sector / s->region)], r->sector);
}

/* set_region_mappings, whose words are looked at twice: nothing is set before all of them are right. */
struct switch_setter {
	struct switch_line *s;
	struct dm_ask *a;
	uint64_t region;		/* the one that was set last, or 0 */
	uint64_t repeated;		/* regions */
	bool sets;
};

/* Hexadecimal digits, at least one. */
static bool take_hex(const char **at, uint64_t *out)
{
	char *end;

	if (!isxdigit((unsigned char)**at) || ((*at)[0] == '0' && ((*at)[1] | 0x20) == 'x'))
		return false;
	errno = 0;
	*out = strtoull(*at, &end, 16);
	*at = end;
	return !errno;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static int setter_bad_word(struct switch_setter *w, const char *word)
{
	return err_set(&w->a->err, -EINVAL, "'%.80s' is neither <region>:<path> nor :<path> nor R<mappings>,<times>, in hexadecimal "
		       "digits", word);
}

static int setter_bad_region(struct switch_setter *w, uint64_t region)
{
	return err_set(&w->a->err, -EINVAL, "region %llx is out of range: there are regions 0 to %llx (in hexadecimal digits)",
		       (unsigned long long)region, (unsigned long long)w->s->map.regions - 1);
}

/* R<mappings>,<times>: the last so many mappings again, for the so many regions that follow. */
static int setter_repeat(struct switch_setter *w, const char *word)
{
	const char *at = word + 1;
	uint64_t cycle, n;

	if (!take_hex(&at, &cycle) || !take(&at, ',') || !take_hex(&at, &n) || *at)
		return setter_bad_word(w, word);
	if (!cycle || cycle - 1 > w->region)
		return err_set(&w->a->err, -EINVAL, "'%.80s': there are no %llx mappings up to region %llx (in hexadecimal digits)", word,
			       (unsigned long long)cycle, (unsigned long long)w->region);
	if (n >= w->s->map.regions - w->region)
		return setter_bad_region(w, w->region + n < n ? UINT64_MAX : w->region + n);
	w->repeated += n;
	if (w->repeated > MESSAGE_REGIONS || n > MESSAGE_REGIONS)
		return err_set(&w->a->err, -E2BIG, "'%.80s': one message repeats mappings for at most %llx regions (in hexadecimal digits): "
			       "send several", word, (unsigned long long)MESSAGE_REGIONS);
	for (; n && w->sets; n--, w->region++)
		switch_set(w->s, w->region + 1, switch_get(w->s, w->region + 1 - cycle));
	w->region += n;
	return 0;
}

static int setter_one(struct switch_setter *w, const char *word)
{
	const char *at = word;
	uint64_t path;

	if (*at == ':')
		w->region++;
	else if (!take_hex(&at, &w->region))
		return setter_bad_word(w, word);
	if (!take(&at, ':') || !take_hex(&at, &path) || *at)
		return setter_bad_word(w, word);
	if (w->region >= w->s->map.regions)
		return setter_bad_region(w, w->region);
	if (path >= w->s->n)
		return err_set(&w->a->err, -EINVAL, "path %llx is out of range: there are paths 0 to %x (in hexadecimal digits)",
			       (unsigned long long)path, w->s->n - 1);
	if (w->sets)
		switch_set(w->s, w->region, (uint32_t)path);
	return 0;
}

static int setter_words(struct switch_line *s, struct dm_ask *a, bool sets)
{
	struct switch_setter w = { .s = s, .a = a, .sets = sets };
	int i, r = 0;

	for (i = 1; i < a->argc && !r; i++)
		r = (*a->argv[i] | 0x20) == 'r' ? setter_repeat(&w, a->argv[i]) : setter_one(&w, a->argv[i]);
	return r;
}

static int switch_message(struct dm_target *t, struct dm_ask *a)
{
	int r;

	if (strcasecmp(a->argv[0], "set_region_mappings"))
		return err_set(&a->err, -EINVAL, "'%.80s' is not a message of target switch: set_region_mappings", a->argv[0]);
	r = setter_words(t->priv, a, false);
	if (r)
		return r;
	a->changed = a->argc > 1;
	return setter_words(t->priv, a, true);
}

static void switch_map_new(struct switch_map *m, const struct dm_target *t, const struct switch_line *s, struct dm_args *a)
{
	uint64_t words;

	m->regions = (t->len - 1) / s->region + 1;
	m->bits = map_bits(s->n);
	if (!dm_args_may_reserve(a))
		return;
	words = (m->regions - 1) / (WORD_BITS / m->bits) + 1;
	m->words = words <= MAP_WORDS ? calloc(words, sizeof(m->words[0])) : NULL;
	if (!m->words)
		dm_args_fail(a, "no memory for %llu regions", (unsigned long long)m->regions);
}

static int switch_ctr(struct dm_target *t, struct dm_args *a)
{
	uint32_t n = (uint32_t)dm_arg_number(a, "<#paths>", 1, SWITCH_PATHS);
	uint32_t region = (uint32_t)dm_arg_sectors(a, "<region size>", 1, UINT32_MAX);
	struct switch_line *s;
	uint32_t i;

	dm_arg_number(a, "<#optional words>", 0, 0);
	if (!dm_args_failed(a) && dm_args_left(a) != 2 * (size_t)n)
		dm_args_fail(a, "%u paths need %u words <device> <offset>, but there are %zu", n, 2 * n, dm_args_left(a));
	if (dm_args_failed(a) || !(s = dm_args_alloc(a, sizeof(*s) + n * sizeof(s->paths[0]))))
		return dm_args_end(a);
	t->priv = s;
	t->chunk = region;
	s->n = n;
	s->region = region;
	for (i = 0; i < n; i++)
		s->paths[i] = dm_arg_at(a, t->len);
	switch_map_new(&s->map, t, s, a);
	return dm_args_end(a);
}

static void switch_dtr(struct dm_target *t)
{
	struct switch_line *s = t->priv;

	if (s)
		free(s->map.words);
}

static void switch_table(const struct dm_target *t, struct text *out)
{
	const struct switch_line *s = t->priv;
	uint32_t i;

	text_printf(out, "%u %u 0", s->n, s->region);
	for (i = 0; i < s->n; i++) {
		text_add(out, " ");
		dm_text_at(out, &s->paths[i]);
	}
}

/* "1 BITS", and runs of equal words of the map that are not zero: "FIRST COUNT WORD", the word in hexadecimal digits. */
static void map_text(const struct switch_map *m, struct text *out)
{
	uint64_t at = m->first, from, word;

	while (at < m->end) {
		from = at;
		word = m->words[from];
		while (at < m->end && m->words[at] == word)
			at++;
		if (word)
			text_printf(out, "%llu %llu %llx\n", (unsigned long long)from, (unsigned long long)(at - from), (unsigned long long)word);
	}
}

static int switch_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct switch_map *m = &((const struct switch_line *)t->priv)->map;

	if (!at_rest && m->end - m->first > SAVED_WORDS)
		return err_set(e, -E2BIG, "its map is too large to be recorded with each message");
	text_printf(out, "1 %u\n", m->bits);
	map_text(m, out);
	return 0;
}

static int map_restore(struct switch_map *m, const char *line, struct err *e)
{
	uint64_t words = (m->regions - 1) / (WORD_BITS / m->bits) + 1, i;
	unsigned long long from, n, word;

	if (sscanf(line, "%llu %llu %llx", &from, &n, &word) != 3 || !n || from >= words || n > words - from)
		return err_set(e, -EINVAL, "a part of its map that was saved is none: '%.60s'", line);
	for (i = from; i < from + n; i++)
		m->words[i] = word;
	map_reaches(m, from);
	map_reaches(m, from + n - 1);
	return 0;
}

static int switch_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct switch_map *m = &((struct switch_line *)t->priv)->map;
	char *line = strsep(&saved, "\n");
	uint32_t bits;
	int r = 0;

	(void)len;
	if (sscanf(line, "1 %u", &bits) != 1 || bits != m->bits)
		return err_set(e, -EINVAL, "its map was saved in a form that this version does not know");
	while (!r && saved && *saved)
		r = map_restore(m, strsep(&saved, "\n"), e);
	return r;
}

const struct dm_type dm_switch = {
	.name = "switch",
	.usage = "<#paths> <region size> 0 <device> <offset> [<device> <offset>...]",
	.about = "sends each region of the line to one of several paths; messages say which",
	.version = { 1, 1, 0 },
	.flags = DM_TARGET_RECORDED,
	.ctr = switch_ctr,
	.dtr = switch_dtr,
	.map = switch_map_request,
	.save = switch_save,
	.restore = switch_restore,
	.table = switch_table,
	.message = switch_message,
};
