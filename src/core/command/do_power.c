/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands cut and restore, of one device or several: of the disks below those of their lines whose type has `power`
 * (target.h). All are cut at one instant, or none is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/command/ask.h"
#include "core/command/do.h"
#include "core/device/step.h"
#include "core/path/instant.h"

#define POWER_WORDS 16

/* A cut that is under way; it goes on although its command is given up. */
struct cut {
	struct dm_instant instant;
	struct dm_cmd *cmd;		/* NULL: given up */
	char *text;			/* what the words are in */
	int argc;
	char *argv[POWER_WORDS];
	size_t n;			/* of the lines, whose tables are held */
	struct dm_target *lines[];
};

static size_t power_names(const struct dm_cmd *c)
{
	return c->n_names ? c->n_names : 1;
}

static struct dm_device *power_device(const struct dm_cmd *c, size_t i)
{
	return dm_find_name_as(c->world, c->n_names ? c->names[i] : c->name ? c->name : "", dm_mangling(c));
}

/* The lines of D that have power, from FROM on: the next one's index, or that of no line. */
static size_t power_line_from(const struct dm_table *t, size_t from)
{
	while (from < t->n && !t->targets[from].type->power)
		from++;
	return from;
}

/* Of the I-th device, counted; negative: there is none, and C's reply says why. */
static int power_lines(struct dm_cmd *c, size_t i)
{
	const struct dm_device *d = power_device(c, i);
	int n = 0;
	size_t k;

	if (!d)
		return err_set(&c->reply.err, -ENXIO, "no device is named '%.128s'", c->n_names ? c->names[i] : c->name ? c->name : "");
	for (k = 0; d->active && (k = power_line_from(d->active, k)) < d->active->n; k++)
		n++;
	if (n)
		return n;
	return err_set(&c->reply.err, -EINVAL, "device '%s' has no line whose power can be cut, such as powercut", d->name);
}

/* How many lines they all have; 0: C's reply says what is wrong. */
static size_t power_count(struct dm_cmd *c)
{
	size_t i, all = 0;
	int n;

	for (i = 0; i < power_names(c); i++, all += (size_t)n) {
		n = power_lines(c, i);
		if (n < 0)
			return 0;
	}
	return all;
}

static void cut_free(struct cut *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		dm_table_drop(x->lines[i]->table);
	free(x->text);
	free(x);
}

static int cut_words(struct cut *x, struct err *e)
{
	char *text = x->text;

	while (text && (x->argv[x->argc] = words_next(&text, e)))
		if (++x->argc == POWER_WORDS)
			return err_set(e, -EINVAL, "a cut is said in at most %d words", POWER_WORDS - 1);
	return e->code;
}

static int cut_collect(struct cut *x, struct dm_cmd *c)
{
	size_t i, k;

	for (i = 0; i < power_names(c); i++) {
		const struct dm_table *t = power_device(c, i)->active;

		for (k = 0; (k = power_line_from(t, k)) < t->n; k++) {
			dm_table_hold(t->targets[k].table);
			x->lines[x->n++] = &t->targets[k];
			if (t->targets[k].type->power->may_cut(&t->targets[k], x->argc, x->argv, &c->reply.err))
				return err_prefix(&c->reply.err, "%s: ", power_device(c, i)->name);
		}
	}
	return 0;
}

static void cut_over(struct dm_instant *instant)
{
	struct cut *x = container(instant, struct cut, instant);
	struct dm_cmd *c = x->cmd;
	size_t i;

	for (i = 0; i < x->n; i++)
		x->lines[i]->type->power->cut(x->lines[i]);
	cut_free(x);
	if (!c)
		return;
	dm_pending_done(c);
	dm_finish(c);
}

static void cut_give_up(struct dm_cmd *c)
{
	struct cut *x = c->pending;

	x->cmd = NULL;
	dm_pending_done(c);
	dm_finish(c);
}

static void cut_begin(struct cut *x, struct dm_cmd *c)
{
	size_t i;

	x->cmd = c;
	for (i = 0; i < x->n; i++)
		x->lines[i]->type->power->hold(x->lines[i], x->argc, x->argv);
	dm_pending(c, x, cut_give_up);
	dm_instant(c->world, &x->instant, cut_over);
}

void dm_do_cut(struct dm_cmd *c, struct dm_device *none)
{
	size_t n = power_count(c);
	struct cut *x = n ? calloc(1, sizeof(*x) + n * sizeof(x->lines[0])) : NULL;

	(void)none;
	if (x && c->message)
		x->text = strdup(c->message);
	if (n && (!x || (c->message && !x->text)))
		err_set(&c->reply.err, -ENOMEM, "no memory to cut the power of %zu lines", n);
	if (!c->reply.err.code && !cut_words(x, &c->reply.err) && !cut_collect(x, c)) {
		cut_begin(x, c);
		return;
	}
	if (x)
		cut_free(x);
	dm_finish(c);
}

/* The next line whose power is off, or NULL; its device is C's then. */
static struct dm_target *restore_next(struct dm_cmd *c)
{
	size_t i, k;

	for (i = 0; i < power_names(c); i++) {
		struct dm_device *d = power_device(c, i);
		const struct dm_table *t = d ? d->active : NULL;

		c->device = d;
		for (k = 0; t && (k = power_line_from(t, k)) < t->n; k++)
			if (t->targets[k].type->power->is_off(&t->targets[k]))
				return &t->targets[k];
	}
	c->device = NULL;
	return NULL;
}

/* All of them, before the first is: lines of one disk say the same. */
static int restore_check(struct dm_cmd *c)
{
	size_t i, k;

	for (i = 0; i < power_names(c); i++) {
		const struct dm_device *d = power_device(c, i);
		const struct dm_table *t = d->active;

		for (k = 0; (k = power_line_from(t, k)) < t->n; k++)
			if (t->targets[k].type->power->prepare_restore(&t->targets[k], &c->reply.err))
				return err_prefix(&c->reply.err, "%s: ", d->name);
	}
	return 0;
}

static void restore_over(struct dm_ask *a);

/* One disk after the other: nobody sees a part of them, because each refuses until it is its turn. */
static void restore_go_on(struct dm_cmd *c)
{
	struct dm_target *t = restore_next(c);
	struct dm_ask *a = t ? dm_ask_new(c, "restore") : NULL;

	if (t && !a)
		err_set(&c->reply.err, -ENOMEM, "no memory to restore '%s'", c->device->name);
	if (!a) {
		c->device = NULL;
		dm_finish(c);
	} else if (dm_ask(a, t, t->type->power->restore, restore_over)) {
		restore_over(a);
	}
}

static void restore_over(struct dm_ask *a)
{
	struct dm_cmd *c = a->cmd;

	if (a->result) {
		err_set(&c->reply.err, a->result, "%s", dm_ask_why(a));
		c->device = NULL;
		dm_ask_free(a);
		dm_finish(c);
		return;
	}
	dm_ask_free(a);
	restore_go_on(c);
}

void dm_do_restore(struct dm_cmd *c, struct dm_device *none)
{
	(void)none;
	if (!power_count(c) || restore_check(c))
		dm_finish(c);
	else
		restore_go_on(c);
}
