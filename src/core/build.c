/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building a table: lines in, a validated immutable table out, or one sentence
 * with the line, the usage and the word. Each device word is opened once a build,
 * so that a table of a million lines on one file opens one file.
 */
#include "core/build.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/kinds.h"
#include "core/world.h"

/* A device's bytes must fit a signed 64-bit file offset. */
#define SECTORS_MAX ((uint64_t)INT64_MAX >> DM_SECTOR_SHIFT)

int dm_build_begin(struct dm_build **out, struct dm_world *w, const struct dm_build_opts *o, struct err *err)
{
	struct dm_build *b = calloc(1, sizeof(*b));

	if (b)
		b->table = calloc(1, sizeof(*b->table));
	if (!b || !b->table) {
		free(b);
		return err_set(err, -ENOMEM, "no memory for a table");
	}
	b->world = w;
	b->walk = ++w->walks;
	b->o = *o;
	b->err = err;
	b->table->limits = dm_limits_default;
	b->table->readonly = o->readonly;
	*out = b;
	return 0;
}

static int build_no_memory(struct dm_build *b)
{
	return err_set(b->err, -ENOMEM, "no memory for a table of %zu lines", b->line);
}

/* The array of targets is about to be another: small private parts live inside it. */
static void build_move(const struct dm_table *t, struct dm_target *targets)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		targets[i] = t->targets[i];
		if (dm_target_is_small(&targets[i]))
			targets[i].priv = targets[i].small;
	}
}

static int build_reserve(struct dm_build *b)
{
	struct dm_table *t = b->table;
	size_t room = b->room ? b->room * 2 : 4;
	struct dm_target *targets;

	if (t->n < b->room)
		return 0;
	targets = dm_large_alloc(room * sizeof(*targets));
	if (!targets)
		return build_no_memory(b);
	build_move(t, targets);
	free(t->targets);
	t->targets = targets;
	b->room = room;
	return 0;
}

static int build_hold(struct dm_build *b, struct dm_store *s)
{
	struct dm_table *t = b->table;
	struct dm_store **stores;

	if (!dm_store_first_visit(&s->walk, b->walk)) {
		dm_store_put(s);
		return 0;
	}
	stores = realloc(t->stores, (t->n_stores + 1) * sizeof(*stores));
	if (!stores) {
		dm_store_put(s);
		return build_no_memory(b);
	}
	t->stores = stores;
	stores[t->n_stores++] = s;
	return 0;
}

/* A device may not stand on itself, through any number of devices and either slot of each. */
static int build_check_loop(struct dm_build *b, const struct dm_store *s)
{
	const struct dm_device *d = b->o.device;

	if (!d || !s->device)
		return 0;
	if (s->device == d)
		return err_set(b->err, -EINVAL, "'%s' would be mapped onto itself", d->name);
	if (dm_table_reaches(s->device->active, d) || dm_table_reaches(s->device->inactive, d))
		return err_set(b->err, -EINVAL, "'%s' would be mapped onto itself: '%s' leads back to it", d->name,
			       s->device->name);
	return 0;
}

static struct dm_build_word *build_word(struct dm_build *b, const char *word, struct dm_store *s)
{
	size_t len = strlen(word);
	struct dm_build_word *w = calloc(1, sizeof(*w) + len + 1);

	if (!w) {
		build_no_memory(b);
		return NULL;
	}
	memcpy(w->word, word, len);
	w->store = s;
	hash_add(&b->words, &w->by_word, w->word, len);
	return w;
}

int dm_build_know(struct dm_build *b, const char *word, struct dm_store *s)
{
	dm_store_ref(s);
	if (!build_hold(b, s) && build_word(b, word, s))
		return 0;
	b->failed = true;
	return b->err->code;
}

int dm_build_store(struct dm_build *b, const char *word, struct dm_build_word **out)
{
	struct dm_store_wish wish = { .world = b->world, .word = word, .cwd = b->o.cwd, .readonly = b->o.readonly,
				      .cmd = b->o.cmd, .err = b->err };
	struct dm_build_word *w;
	struct dm_store *s;
	int r;

	w = hash_owner(hash_find(&b->words, word, strlen(word)), struct dm_build_word, by_word);
	if (!w) {
		r = dm_store_get(&wish, &s);
		if (!r)
			r = build_hold(b, s);
		if (!r)
			r = build_check_loop(b, s);
		if (r)
			return r;
		w = build_word(b, word, s);
		if (!w)
			return -ENOMEM;
		dm_build_stack(b, w);
	} else if (!w->asked && !b->type->hints) {
		dm_build_stack(b, w);
	}
	w->plain |= !b->type->flush;
	*out = w;
	return 0;
}

/* Where the line begins and ends, seen from the one before it. */
static int build_check_place(struct dm_build *b, uint64_t start, uint64_t len)
{
	uint64_t end = b->table->sectors;

	if (len == 0)
		return err_set(b->err, -EINVAL, "its length is 0 sectors");
	if (start > end && b->table->n == 0)
		return err_set(b->err, -EINVAL, "a table begins at sector 0, not at %llu", (unsigned long long)start);
	if (start > end)
		return err_set(b->err, -EINVAL, "a gap: the line before it ends at sector %llu and this one starts at %llu",
			       (unsigned long long)end, (unsigned long long)start);
	if (start < end)
		return err_set(b->err, -EINVAL,
			       "an overlap: the line before it ends at sector %llu and this one starts at %llu",
			       (unsigned long long)end, (unsigned long long)start);
	if (b->table->n == UINT32_MAX)
		return err_set(b->err, -EINVAL, "a table has %u lines at most", UINT32_MAX);
	if (len > SECTORS_MAX - start)
		return err_set(b->err, -EINVAL, "start %llu and length %llu go beyond the last sector there can be (%llu)",
			       (unsigned long long)start, (unsigned long long)len, (unsigned long long)SECTORS_MAX);
	return 0;
}

static int build_find_type(struct dm_build *b, const char *name)
{
	struct text known = TEXT_INIT;

	b->type = dm_find_type(b->world, name);
	if (b->type)
		return 0;
	dm_kinds_list(b->world->types, &known);
	err_set(b->err, -ENOPKG, "unknown target '%.80s'; there are: %s%s", name, text_str(&known),
		dm_kind_is_linux(name) ? " (Linux has that one; dmuse lacks it)" : "");
	text_free(&known);
	return b->err->code;
}

/* Requests are cut at chunks, and each piece must still be whole blocks of BLOCK bytes. */
static int build_check_chunk(struct dm_build *b, const struct dm_target *t, uint32_t block)
{
	if (!block || t->chunk % (block / DM_SECTOR) == 0)
		return 0;
	return err_set(b->err, -EINVAL, "its chunks of %u sectors are no multiple of %u: one of its devices has blocks of %u bytes",
		       t->chunk, block / DM_SECTOR, block);
}

static int build_target(struct dm_build *b, struct dm_target *t, char *params)
{
	struct dm_args a = { .build = b, .rest = params, .err = b->err };
	int r;

	if (dm_target_is_small(t)) {
		t->priv = t->small;
	} else if (t->type->size) {
		t->priv = arena_alloc(&b->table->arena, t->type->size);
		if (!t->priv)
			return build_no_memory(b);
	}
	r = t->type->ctr(t, &a);
	if (!r)
		r = build_check_chunk(b, t, a.block);
	if (r && t->type->dtr)
		t->type->dtr(t);
	return r;
}

static int build_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, char *params)
{
	struct dm_table *table = b->table;
	struct dm_target *t;
	int r;

	if ((r = build_find_type(b, type)) || (r = build_check_place(b, start, len)) || (r = build_reserve(b)))
		return r;
	dm_build_explain(b, start, len);
	t = &table->targets[table->n];
	*t = (struct dm_target){ .type = b->type, .start = start, .len = len };
	r = build_target(b, t, params);
	if (r)
		return r;
	if (b->o.explain)
		text_add(&b->o.explain->lines, "\n");
	table->n++;
	table->sectors = start + len;
	return 0;
}

/* Puts where it happened in front of the sentence, and remembers that it did. */
static int build_failed(struct dm_build *b)
{
	b->failed = true;
	if (b->type)
		err_prefix(b->err, "table line %zu: %s%s%s: ", b->line, b->type->name, *b->type->usage ? " " : "",
			   b->type->usage);
	else
		err_prefix(b->err, "table line %zu: ", b->line);
	return b->err->code;
}

/* No copy of a secret line stays in memory that is given back. */
static void build_wipe(struct dm_build *b)
{
	if (!b->o.secret || !b->scratch.s)
		return;
	explicit_bzero(b->scratch.s, b->scratch.room);
	text_free(&b->scratch);
}

int dm_build_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, const char *params)
{
	b->line++;
	b->type = NULL;
	build_wipe(b);
	text_clear(&b->scratch);
	text_add(&b->scratch, params);
	if (b->scratch.failed)
		build_no_memory(b);
	else if (!build_line(b, start, len, type, b->scratch.s))
		return 0;
	return build_failed(b);
}

/* One of the two numbers that a text line begins with. */
static int build_number(struct dm_build *b, char **at, const char *what, uint64_t *out)
{
	const char *word = words_next(at, b->err), *right = b->o.sizes ? "sectors of 512 bytes, or 64K, 10M" : "sectors of 512 bytes";
	int r;

	if (!word)
		return err_set(b->err, -EINVAL, "%s is missing; a line is: start length target words...", what);
	r = b->o.sizes ? words_sectors(word, out) : words_u64(word, out);
	if (r == -ERANGE)
		return err_set(b->err, -EINVAL, "%s '%.80s' is larger than 64 bits can hold", what, word);
	if (r)
		return err_set(b->err, -EINVAL, "%s '%.80s' is not a number (%s)", what, word, right);
	return 0;
}

static int build_text_line(struct dm_build *b, char *line)
{
	uint64_t start, len;
	const char *type;

	b->type = NULL;
	if (build_number(b, &line, "the start", &start) || build_number(b, &line, "the length", &len))
		return build_failed(b);
	type = words_next(&line, b->err);
	if (!type) {
		err_set(b->err, -EINVAL, "the target is missing; a line is: start length target words...");
		return build_failed(b);
	}
	return build_line(b, start, len, type, line) ? build_failed(b) : 0;
}

int dm_build_text(struct dm_build *b, char *text)
{
	char *line, *end;
	bool more = true;
	int r;

	for (line = text; more; line = end + 1) {
		end = words_line(line);
		more = *end;
		*end = '\0';
		b->line++;
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			continue;
		r = build_text_line(b, line);
		if (r)
			return r;
	}
	return 0;
}

/* A line must begin and end where the largest block of all stores does. */
static int build_check_blocks(struct dm_build *b)
{
	const struct dm_table *t = b->table;
	uint32_t block = t->limits.logical / DM_SECTOR;
	size_t i;

	for (i = 0; block > 1 && i < t->n; i++)
		if (t->targets[i].len % block) {
			b->failed = true;
			return err_set(b->err, -EINVAL,
				       "table line %zu: %s: its length of %llu sectors is no multiple of %u: a device of this table has blocks of %u bytes",
				       i + 1, t->targets[i].type->name, (unsigned long long)t->targets[i].len, block,
				       t->limits.logical);
		}
	return 0;
}

/* The targets stay where they are from here on, and lines can be found. */
static int build_index(struct dm_build *b)
{
	struct dm_table *t = b->table;

	if (!dm_index_make(&t->index, t->targets, t->n))
		return 0;
	b->failed = true;
	return build_no_memory(b);
}

static void build_free(struct dm_build *b)
{
	struct hash_link *l, *next;

	hash_each(l, next, &b->words) {
		hash_remove(&b->words, l);
		free(container(l, struct dm_build_word, by_word));
	}
	build_wipe(b);
	text_free(&b->scratch);
	if (b->failed)
		dm_table_free(b->table);
	free(b);
}

int dm_build_end(struct dm_build *b, struct dm_table **out)
{
	struct err *err = b->err;

	if (!b->failed && b->table->n == 0) {
		b->failed = true;
		err_set(err, -EINVAL, "the table is empty; a line is: start length target words...");
	}
	if (!b->failed && !build_check_blocks(b))
		build_index(b);
	if (!b->failed)
		dm_build_hints(b);
	if (!b->failed && !(dm_build_flush(b) && dm_build_reaches(b) && dm_build_uses(b)))
		b->failed = build_no_memory(b);
	*out = b->failed ? NULL : b->table;
	build_free(b);
	return *out ? 0 : err->code;
}
