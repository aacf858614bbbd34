/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about tables: clear, table, measure, deps, check, geometry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/table/building.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/step.h"
#include "core/state/lost.h"

bool dm_cmd_has_table(const struct dm_cmd *c)
{
	return c->text || c->n_lines;
}

const struct dm_table *dm_cmd_slot(const struct dm_cmd *c, const struct dm_device *d)
{
	return c->flags & DM_WITH_INACTIVE ? d->inactive : d->active;
}

/* The table in the inactive slot is freed, and everything that it had open is closed. */
static void slot_is_clear(void *arg)
{
	dm_pending_done(arg);
	dm_finish(arg);
}

/* A hook of the old table hangs: the caller has its answer, and the table goes when the hook has ended. */
static void slot_given_up(struct dm_cmd *c)
{
	struct dm_table *old = c->pending;

	old->retired = NULL;
	err_append(&c->reply.err, "; what the slot had before is closed later");
	dm_pending_done(c);
	dm_finish(c);
}

void dm_slot_clear(struct dm_cmd *c, struct dm_table *old)
{
	if (!old) {
		dm_finish(c);
		return;
	}
	dm_pending(c, old, slot_given_up);
	dm_table_retire(c->world, old, slot_is_clear, c);
}

void dm_do_clear(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_table *old = d->inactive;

	d->inactive = NULL;
	if (old && dm_record_device(d, c)) {
		d->inactive = old;
		old = NULL;
	}
	dm_slot_clear(c, old);
}

/* The text of one target in the reply's arena, or NULL if there is no memory. */
static const char *row_params(struct dm_cmd *c, const struct dm_target *t, struct text *scratch)
{
	void (*say)(const struct dm_target *t, struct text *out) =
		c->verb == DM_DO_TABLE ? t->type->table : c->verb == DM_DO_MEASURE ? t->type->measure : t->type->status;

	text_clear(scratch);
	if (say && c->verb == DM_DO_MEASURE)
		text_printf(scratch, "target_name=%s,target_version=%u.%u.%u", t->type->name, t->type->version[0],
			    t->type->version[1], t->type->version[2]);
	if (say)
		say(t, scratch);
	return scratch->failed ? NULL : arena_strdup(&c->reply.arena, text_str(scratch));
}

static const char *row_type(const struct dm_target *t)
{
	return t->table->lost ? dm_lost_line_type(t) : t->type->name;
}

static void no_memory_for_rows(struct dm_reply *r, const struct dm_table *table)
{
	r->n = 0;
	err_set(&r->err, -ENOMEM, "no memory for an answer of %zu lines", table->n);
}

static void add_rows(struct dm_cmd *c, const struct dm_table *table)
{
	struct text scratch = { .secret = table->secret };
	struct dm_reply *r = &c->reply;

	r->rows = arena_alloc(&r->arena, table->n * sizeof(*r->rows));
	for (; r->rows && r->n < table->n; r->n++) {
		const struct dm_target *t = &table->targets[r->n];

		r->rows[r->n] = (struct dm_row){ t->start, t->len, row_type(t), row_params(c, t, &scratch) };
		if (!r->rows[r->n].params)
			break;
	}
	text_free(&scratch);
	if (r->n < table->n)
		no_memory_for_rows(r, table);
}

void dm_do_rows(struct dm_cmd *c, struct dm_device *d)
{
	const struct dm_table *table = dm_cmd_slot(c, d);

	if (table)
		add_rows(c, table);
	if (c->verb == DM_DO_STATUS)
		dm_do_faults(c, d);
	dm_finish(c);
}

static const char *dep_name(const struct dm_cmd *c, const struct dm_store *s)
{
	if (!s->device)
		return s->name;
	return c->flags & DM_WITH_KERNEL_NAMES ? s->device->kernel_name : s->device->name;
}

size_t dm_deps_count(const struct dm_cmd *c, const struct dm_device *d)
{
	const struct dm_table *table = dm_cmd_slot(c, d);

	return table ? table->n_stores : 0;
}

/* Newest first, in Linux's order. */
size_t dm_deps_fill(struct dm_cmd *c, const struct dm_device *d, struct dm_dep *to)
{
	const struct dm_table *table = dm_cmd_slot(c, d);
	size_t i = dm_deps_count(c, d), n = 0;

	while (i--) {
		const struct dm_store *s = table->stores[i];

		to[n++] = (struct dm_dep){ arena_strdup(&c->reply.arena, dep_name(c, s)), s->major, s->minor };
	}
	return n;
}

void dm_do_deps(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_reply *r = &c->reply;

	r->deps = arena_alloc(&r->arena, dm_deps_count(c, d) * sizeof(*r->deps) + 1);
	if (!r->deps) {
		dm_fail(c, -ENOMEM, "no memory for the answer");
		return;
	}
	r->n = dm_deps_fill(c, d, r->deps);
	dm_finish(c);
}

/* One explanation for each line of the table; the text has one per line. */
static void check_rows(struct dm_cmd *c, const struct dm_table *table, char *explained)
{
	struct dm_reply *r = &c->reply;
	char *line = explained, *end;

	r->rows = arena_alloc(&r->arena, table->n * sizeof(*r->rows));
	for (; r->rows && line && r->n < table->n && (end = strchr(line, '\n')); line = end + 1, r->n++) {
		const struct dm_target *t = &table->targets[r->n];

		*end = '\0';
		r->rows[r->n] = (struct dm_row){ t->start, t->len, t->type->name, arena_strdup(&r->arena, line) };
		if (!r->rows[r->n].params)
			break;
	}
	if (r->n < table->n)
		no_memory_for_rows(r, table);
}

static void check_answer(struct dm_cmd *c, const struct dm_table *table, struct dm_explain *explain)
{
	check_rows(c, table, explain->lines.s);
	c->reply.answer = explain->uses.failed ? NULL : arena_strdup(&c->reply.arena, text_str(&explain->uses));
	if (!c->reply.answer && !c->reply.err.code)
		err_set(&c->reply.err, -ENOMEM, "no memory for the answer");
}

static void check_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	if (table)
		check_answer(c, table, explain);
	dm_table_free(table);
	dm_finish(c);
}

void dm_do_check(struct dm_cmd *c, struct dm_device *d)
{
	(void)d;
	if (dm_cmd_has_table(c))
		dm_do_build(c, check_built);
	else
		dm_fail(c, -EINVAL, "there is no table to check");
}

/* The limits are Linux's: the range of struct hd_geometry. */
void dm_do_geometry(struct dm_cmd *c, struct dm_device *d)
{
	const struct dm_geometry *g = &c->geometry, was = d->geometry;

	if (g->cylinders > 65535 || g->heads > 255 || g->sectors > 255) {
		dm_fail(c, -EINVAL, "a geometry has at most 65535 cylinders, 255 heads and 255 sectors");
		return;
	}
	if (g->start > g->cylinders * g->heads * g->sectors) {
		dm_fail(c, -EINVAL, "start %llu is after the last sector of that geometry", (unsigned long long)g->start);
		return;
	}
	d->geometry = *g;
	if (dm_record_device(d, c))
		d->geometry = was;
	dm_finish(c);
}
