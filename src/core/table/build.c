/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building a table: lines in; a validated immutable table out, or one sentence with the line, the usage and the word.
 * See build.h; building.c passes it a command's lines.
 */
#include "core/table/build.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/table/kinds.h"
#include "core/device/step.h"
#include "core/state/lost.h"
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
	b->o = *o;
	b->err = err;
	b->table->world = w;
	list_init(&b->table->asks);
	b->table->limits = dm_limits_default;
	b->table->readonly = o->readonly;
	b->table->secret = o->secret;
	b->scratch = (struct text)TEXT_SECRET;
	b->arena = &b->table->arena;
	b->standin = (struct dm_store){ .name = b->no_name, .sectors = SECTORS_MAX, .limits = dm_limits_default };
	list_init(&b->all);
	list_init(&b->wanted);
	*out = b;
	return 0;
}

/* The array of targets is about to be reallocated: small private parts are inside it. */
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
	size_t room = b->room ? b->room * 2 : 1;
	struct dm_target *targets;

	if (t->n < b->room)
		return 0;
	targets = dm_large_alloc(room * sizeof(*targets));
	if (!targets)
		return dm_build_no_memory(b);
	build_move(t, targets);
	free(t->targets);
	t->targets = targets;
	b->room = room;
	return 0;
}

/* The line's start and length, compared with the line before. */
static int build_check_place(struct dm_build *b, uint64_t start, uint64_t len)
{
	uint64_t end = b->end;

	if (len == 0)
		return err_set(b->err, -EINVAL, "its length is 0 sectors");
	if (start > end && b->n == 0)
		return err_set(b->err, -EINVAL, "a table begins at sector 0, not at %llu", (unsigned long long)start);
	if (start > end)
		return err_set(b->err, -EINVAL, "a gap: the line before it ends at sector %llu and this one starts at %llu",
			       (unsigned long long)end, (unsigned long long)start);
	if (start < end)
		return err_set(b->err, -EINVAL,
			       "an overlap: the line before it ends at sector %llu and this one starts at %llu",
			       (unsigned long long)end, (unsigned long long)start);
	if (b->n == UINT32_MAX)
		return err_set(b->err, -EINVAL, "a table has %u lines at most", UINT32_MAX);
	if (len > SECTORS_MAX - start)
		return err_set(b->err, -EINVAL, "start %llu and length %llu go beyond the last sector there can be (%llu)",
			       (unsigned long long)start, (unsigned long long)len, (unsigned long long)SECTORS_MAX);
	return 0;
}

static int build_find_type(struct dm_build *b, const char *name)
{
	struct text known = TEXT_INIT;

	b->type = b->o.lost ? &dm_type_lost : dm_find_type(b->world, name);
	if (b->type)
		return 0;
	dm_kinds_list(b->world->types, &known);
	err_set(b->err, -ENOPKG, "unknown target '%.80s'; there are: %s%s", name, text_str(&known),
		dm_kind_is_linux(name) ? " (Linux has that one; dmuse lacks it)" : "");
	text_free(&known);
	return b->err->code;
}

/* Requests are cut at chunks, and each part must still be whole blocks of BLOCK bytes. */
static int build_check_chunk(struct dm_build *b, const struct dm_target *t, uint32_t block)
{
	if (!block || t->chunk % (block / DM_SECTOR) == 0)
		return 0;
	return err_set(b->err, -EINVAL, "its chunks of %u sectors are not a multiple of %u: one of its devices has blocks of %u bytes",
		       t->chunk, block / DM_SECTOR, block);
}

static int build_target(struct dm_build *b, struct dm_target *t, char *params)
{
	struct dm_args a = { .build = b, .rest = params, .err = b->err };
	int r;

	if (dm_target_is_small(t)) {
		t->priv = t->small;
	} else if (t->type->size) {
		t->priv = arena_alloc(b->arena, t->type->size);
		if (!t->priv)
			return dm_build_no_memory(b);
	}
	r = t->type->ctr(t, &a);
	if (!r)
		r = build_check_chunk(b, t, a.block);
	if ((r || b->collecting) && t->type->dtr)
		t->type->dtr(t);
	return r;
}

/* Only finds out which stores the line wants. */
static int build_collect(struct dm_build *b, uint64_t start, uint64_t len, char *params)
{
	struct arena arena = ARENA_INIT;
	struct dm_target t = { .type = b->type, .table = b->table, .start = start, .len = len };
	int r;

	b->arena = &arena;
	r = build_target(b, &t, params);
	b->arena = &b->table->arena;
	arena_free(&arena);
	return r;
}

static int build_make(struct dm_build *b, uint64_t start, uint64_t len, char *params)
{
	struct dm_table *table = b->table;
	struct dm_target *t;
	int r = build_reserve(b);

	if (r)
		return r;
	dm_build_explain(b, start, len);
	t = &table->targets[table->n];
	*t = (struct dm_target){ .type = b->type, .table = b->table, .start = start, .len = len };
	r = build_target(b, t, params);
	if (r)
		return r;
	dm_build_explained(b);
	table->n++;
	table->hooked |= dm_type_has_hooks(b->type);
	table->prepares |= b->type->prepare_status != NULL;
	table->saves |= b->type->save != NULL;
	table->records |= (b->type->flags & DM_TARGET_RECORDED) != 0;
	table->sectors = start + len;
	return 0;
}

int dm_build_target_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, char *params)
{
	int r = build_find_type(b, type);

	if (!r)
		r = build_check_place(b, start, len);
	if (!r)
		r = dm_build_check_flags(b);
	if (!r)
		r = b->collecting ? build_collect(b, start, len, params) : build_make(b, start, len, params);
	if (r)
		return r;
	dm_build_note_flags(b);
	b->n++;
	b->end = start + len;
	return 0;
}

/* Prepends the position to the sentence, and records that the build has failed. */
int dm_build_failed(struct dm_build *b)
{
	b->failed = true;
	if (b->type)
		err_prefix(b->err, "table line %zu: %s%s%s: ", b->line, b->type->name, *b->type->usage ? " " : "",
			   b->type->usage);
	else
		err_prefix(b->err, "table line %zu: ", b->line);
	return b->err->code;
}

char *dm_build_scratch(struct dm_build *b, const char *from, size_t len)
{
	text_clear(&b->scratch);
	text_add_n(&b->scratch, from, len);
	return b->scratch.failed ? NULL : b->scratch.s;
}

/* The line that was just tried is read again once everything that it wants is open. */
bool dm_build_waits(struct dm_build *b)
{
	bool waits = b->wanting && !list_empty(&b->wanted);

	b->wanting = false;
	if (!waits)
		return false;
	b->line--;
	dm_build_unexplained(b);
	*b->err = (struct err)ERR_INIT;
	return true;
}

int dm_build_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, const char *params)
{
	char *copy;

	b->line++;
	b->type = NULL;
	copy = dm_build_scratch(b, params, strlen(params));
	if (!copy)
		dm_build_no_memory(b);
	else if (!dm_build_target_line(b, start, len, type, copy))
		return 0;
	return dm_build_waits(b) ? DM_BUILD_WAITS : dm_build_failed(b);
}

void dm_build_again(struct dm_build *b)
{
	*b->err = (struct err)ERR_INIT;
	b->collecting = b->failed = b->wanting = false;
	b->n = b->line = 0;
	b->end = 0;
	b->single = b->immutable = NULL;
}

/* A line must begin and end at a multiple of the largest block of all stores. */
static int build_check_blocks(struct dm_build *b)
{
	const struct dm_table *t = b->table;
	uint32_t block = t->limits.logical / DM_SECTOR;
	size_t i;

	for (i = 0; block > 1 && i < t->n; i++)
		if (t->targets[i].len % block) {
			b->failed = true;
			return err_set(b->err, -EINVAL,
				       "table line %zu: %s: its length of %llu sectors is not a multiple of %u: "
				       "a device of this table has blocks of %u bytes",
				       i + 1, t->targets[i].type->name, (unsigned long long)t->targets[i].len, block,
				       t->limits.logical);
		}
	return 0;
}

/* From here on the targets do not move, and lines can be looked up. */
static int build_index(struct dm_build *b)
{
	struct dm_table *t = b->table;

	if (!dm_index_make(&t->index, t->targets, t->n))
		return 0;
	b->failed = true;
	return dm_build_no_memory(b);
}

static void build_check(struct dm_build *b)
{
	if (!b->failed && !list_empty(&b->wanted)) {
		b->failed = true;
		err_set(b->err, -EAGAIN, "table line %zu wants what is not open", b->line + 1);
	}
	if (!b->failed && b->table->n == 0) {
		b->failed = true;
		err_set(b->err, -EINVAL, "the table is empty; a line is: start length target words...");
	}
	if (!b->failed && !build_check_blocks(b))
		build_index(b);
	if (!b->failed)
		dm_build_hints(b);
	if (!b->failed && !(dm_build_flush(b) && dm_build_spares(b) && dm_build_reaches(b) && dm_build_uses(b)))
		b->failed = dm_build_no_memory(b);
}

/* Takes down a table that failed or that nobody wants any more, from its end: targets, then stores. */
static bool build_take_down(struct dm_build *b)
{
	struct dm_table *t = b->table;

	while (t->n_uses)
		list_remove(&t->uses[--t->n_uses].node);
	if (t->n) {
		const struct dm_target *last = &t->targets[--t->n];

		if (last->type->dtr)
			last->type->dtr(&t->targets[t->n]);
		return true;
	}
	if (!t->n_stores)
		return false;
	dm_store_put(t->stores[--t->n_stores]);
	return true;
}

bool dm_build_tidy(struct dm_build *b)
{
	if (!b->checked)
		build_check(b);
	b->checked = true;
	return dm_build_forget_word(b) || (b->failed && build_take_down(b));
}

int dm_build_end(struct dm_build *b, struct dm_table **out)
{
	int code;

	while (dm_build_tidy(b))
		;
	code = b->failed ? b->err->code : 0;
	*out = b->failed ? NULL : b->table;
	if (b->failed)
		dm_table_free(b->table);
	text_free(&b->scratch);
	free(b);
	return code;
}
