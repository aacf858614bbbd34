/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command reload: a table into the inactive slot of a device; or one for each of several devices, all or none: all are
 * built, then all are checked, then all are put into their slots.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/command/do.h"
#include "core/device/devices.h"
#include "core/device/step.h"
#include "core/table/building.h"

static int check_immutable(struct dm_cmd *c, const struct dm_table *table, const struct dm_device *d)
{
	const struct dm_type *is = d->active ? d->active->immutable : NULL;

	if (!is || table->immutable == is || table->wildcard)
		return 0;
	return err_set(&c->reply.err, -EINVAL,
		       "the active table of '%s' is of type %s; only another table of that type, or one with an error line, can replace it",
		       d->name, is->name);
}

/*
 * Other commands have run while the table was built: check again that it does not lead back to its own device, and may
 * replace its table.
 */
static int reload_check(struct dm_cmd *c, const struct dm_table *table, const struct dm_device *d)
{
	if (dm_table_reaches(table, d))
		return err_set(&c->reply.err, -EINVAL, "'%s' would be mapped onto itself", d->name);
	return check_immutable(c, table, d);
}

/* D's inactive table and *TABLE change places. */
static void exchange(struct dm_device *d, struct dm_table **table)
{
	struct dm_table *old = d->inactive;

	d->inactive = *table;
	if (d->inactive)
		d->inactive->device = d;
	*table = old;
}

/* It may be D's first table, in either slot. */
static void loaded(struct dm_device *d)
{
	dm_traits_save(d);
	if (!d->ever_loaded) {
		d->ever_loaded = true;
		dm_device_read_ahead(d);
	}
}

static void loaded_tell(struct dm_device *d)
{
	if (!d->moving.before.ever_loaded)
		dm_device_changed(d, DM_LOADED);
}

static void reload_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	(void)explain;
	c->table = table;
	if (table)
		dm_start(c);	/* again, after a transition that has begun */
	else
		dm_finish(c);
}

/* C's table, which is the old one by now. */
static void reload_retire(struct dm_cmd *c)
{
	struct dm_table *old = c->table;

	c->table = NULL;
	dm_slot_clear(c, old);
}

static void reload_install(struct dm_cmd *c, struct dm_device *d)
{
	exchange(d, &c->table);
	loaded(d);
	if (dm_record_device(d, c)) {
		dm_traits_undo(d);
		exchange(d, &c->table);
		dm_finish(c);
		return;
	}
	loaded_tell(d);
	reload_retire(c);
}

static void reload_one(struct dm_cmd *c, struct dm_device *d)
{
	if (!c->table)
		dm_do_build(c, reload_built);
	else if (reload_check(c, c->table, d))
		dm_finish(c);
	else
		reload_install(c, d);
}

static struct dm_device *several_device(const struct dm_cmd *c, size_t i)
{
	return dm_find_name_as(c->world, c->names[i], dm_mangling(c));
}

static int several_missing(struct dm_cmd *c, size_t i)
{
	return err_set(&c->reply.err, -ENXIO, "no device is named '%.128s'", c->names[i]);
}

/* Are all there, and none twice? */
static int several_found(struct dm_cmd *c)
{
	uint64_t walk = ++c->world->walks;
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		struct dm_device *d = several_device(c, i);

		if (!d)
			return several_missing(c, i);
		if (!dm_device_first_visit(d, walk))
			return err_set(&c->reply.err, -EINVAL, "'%.128s' is named twice", c->names[i]);
	}
	return 0;
}

/* True: one of them is in transition, and C waits in its queue. */
static bool several_wait(struct dm_cmd *c)
{
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		struct dm_device *d = several_device(c, i);

		if (!dm_device_moving(d))
			continue;
		c->device = d;
		list_append(&d->queue, &c->node);
		return true;
	}
	return false;
}

static void several_go_on(struct dm_cmd *c);

static void several_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	(void)explain;
	if (!table) {
		err_prefix(&c->reply.err, "%s: ", c->names[c->n_tables]);
		dm_finish(c);
		return;
	}
	c->tables[c->n_tables++] = table;
	several_go_on(c);
}

static void several_build(struct dm_cmd *c)
{
	struct dm_device *d = several_device(c, c->n_tables);

	if (!d) {
		several_missing(c, c->n_tables);
		dm_finish(c);
		return;
	}
	c->device = d;
	c->text = c->texts[c->n_tables];
	dm_do_build(c, several_built);
}

static void several_retired(void *arg)
{
	dm_pending_done(arg);
	several_go_on(arg);
}

/* A hook of an old table hangs: the caller has its answer, and the tables go when their hooks have ended. */
static void several_given_up(struct dm_cmd *c)
{
	struct dm_table *old = c->pending;

	old->retired = NULL;
	while (c->n_tables)
		dm_table_retire(c->world, c->tables[--c->n_tables], NULL, NULL);
	err_append(&c->reply.err, "; what the slots had before is closed later");
	dm_pending_done(c);
	dm_finish(c);
}

/* What was in the slots, one table after the other. */
static void several_retire(struct dm_cmd *c)
{
	struct dm_table *old = NULL;

	while (c->n_tables && !old)
		old = c->tables[--c->n_tables];
	if (!old) {
		dm_finish(c);
		return;
	}
	dm_pending(c, old, several_given_up);
	dm_table_retire(c->world, old, several_retired, c);
}

static void several_exchange(struct dm_cmd *c)
{
	size_t i;

	for (i = 0; i < c->n_names; i++)
		exchange(several_device(c, i), &c->tables[i]);
}

/* They are checked in their slots: each is right for itself, but one may lead back to itself through another. */
static int several_check(struct dm_cmd *c)
{
	size_t i;

	for (i = 0; !c->reply.err.code && i < c->n_names; i++)
		reload_check(c, several_device(c, i)->inactive, several_device(c, i));
	return c->reply.err.code;
}

/* In one frame. */
static int several_record(struct dm_cmd *c)
{
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		loaded(several_device(c, i));
		dm_record_put(several_device(c, i));
	}
	if (!dm_record_commit(c->world, c, &c->reply.err))
		return 0;
	for (i = 0; i < c->n_names; i++)
		dm_traits_undo(several_device(c, i));
	return c->reply.err.code;
}

static void several_install(struct dm_cmd *c)
{
	size_t i;

	several_exchange(c);
	if (several_check(c) || several_record(c)) {
		several_exchange(c);
		dm_finish(c);
		return;
	}
	for (i = 0; i < c->n_names; i++)
		loaded_tell(several_device(c, i));
	c->device = several_device(c, 0);
	c->installed = true;
	several_go_on(c);
}

static void several_step(struct dm_cmd *c)
{
	if (c->installed)
		several_retire(c);
	else if (c->n_tables < c->n_names)
		several_build(c);
	else if (several_found(c))
		dm_finish(c);
	else if (!several_wait(c))
		several_install(c);
}

/* A loop and not a recursion, because most steps end at once. */
static void several_go_on(struct dm_cmd *c)
{
	c->step_again = true;
	if (c->stepping)
		return;
	c->stepping = true;
	while (c->step_again) {
		c->step_again = false;
		several_step(c);
	}
	c->stepping = false;
}

void dm_do_reload(struct dm_cmd *c, struct dm_device *d)
{
	if (!c->n_names) {
		reload_one(c, d);
		return;
	}
	if (!c->tables && several_found(c)) {
		dm_finish(c);
		return;
	}
	if (!c->tables)
		c->tables = calloc(c->n_names, sizeof(struct dm_table *));
	if (c->tables)
		several_go_on(c);
	else
		dm_fail(c, -ENOMEM, "no memory for %zu tables", c->n_names);
}
