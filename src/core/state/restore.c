/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start with a state: see restore.h. An item is a device on its way:
 *
 *   made -> waits for those below -> active table built -> resumed, or in its slot -> inactive table built -> over
 */
#include "core/state/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/device/devices.h"
#include "core/device/event.h"
#include "core/device/move.h"
#include "core/state/lost.h"
#include "core/state/record_lost.h"
#include "core/state/restore_item.h"
#include "core/table/building.h"
#include "core/table/kept.h"

#define ITEMS_AT_ONCE 64u

static void item_next(struct restore_item *i);

/* --- a table of an item ------------------------------------------------------------------------------------------ */

void restore_suspended(struct dm_device *d, struct dm_table *table)
{
	unsigned k;

	d->active = table;
	d->state = DM_SUSPENDED;
	d->gate = DM_GATE_SHUT;
	for (k = 0; k < d->world->n_io; k++)
		d->lanes[k].gate = DM_GATE_SHUT;
	if (!table)
		return;
	table->device = d;
	dm_event_active(table, true);
}

static void item_suspend(struct restore_item *i, struct dm_table *table)
{
	restore_suspended(i->device, table);
	if (table)
		dm_device_changed(i->device, DM_SWAPPED);
}

/* What stands in for a table that cannot be built. */
static struct dm_table *item_lost(struct restore_item *i, const char *why)
{
	struct dm_table *t = NULL;
	size_t len;

	if (i->slot == DM_SLOT_ACTIVE)
		log_error_of(i->device->name, "'%s' is suspended: its table could not be brought back: %s", i->device->name, why);
	else
		log_error_of(i->device->name, "'%s': its inactive table could not be brought back: %s", i->device->name, why);
	i->lost = true;
	if (dm_lost_new(&t, i->device, i->table, strlen(i->table), why)) {
		log_error_of(i->device->name, "'%s': no memory for what is known of that table", i->device->name);
		return NULL;
	}
	t->lost->was_active = i->slot == DM_SLOT_ACTIVE && !i->is.suspended;
	t->lost->late = i->cmd.reply.err.code == -ETIMEDOUT;
	t->lost->anew = i->anew;
	t->lost->altered = i->is.altered;
	t->record = i->is.tables[i->slot];
	t->saved = restore_saved_value(i->all->recorder, t->record, &len);
	return t;
}

static void item_has_inactive(struct restore_item *i, struct dm_table *table)
{
	struct dm_device *d = i->device;

	d->inactive = table;
	if (!table)
		return;
	table->device = d;
	d->ever_loaded = true;
	dm_device_changed(d, DM_LOADED);
}

static void item_not_there(struct restore_item *i, const char *why)
{
	struct dm_table *lost = item_lost(i, why);

	if (i->slot == DM_SLOT_ACTIVE)
		item_suspend(i, lost);
	else
		item_has_inactive(i, lost);
	item_next(i);
}

static void item_resumed(struct dm_move *m, struct dm_device *d)
{
	struct restore_item *i = container(m->cmd, struct restore_item, cmd);

	(void)d;
	if (m->failed)
		i->refused = true;	/* the move still has the device: what follows comes behind it */
	loop_defer(m->world->loop, &i->go_on);
}

static void item_go_on(struct loop_work *work)
{
	struct restore_item *i = container(work, struct restore_item, go_on);

	if (i->refused)
		item_not_there(i, i->cmd.reply.err.text);
	else
		item_next(i);
}

static void item_has_table(struct restore_item *i, struct dm_table *table)
{
	table->record = i->is.tables[i->slot];
	dm_stores_lost_again(table);
	if (i->slot == DM_SLOT_INACTIVE) {
		item_has_inactive(i, table);
		item_next(i);
	} else if (i->is.suspended) {
		item_suspend(i, table);
		item_next(i);
	} else {
		dm_move_resume(i->device, &i->cmd, table, item_resumed);
	}
}

static int item_keeps(struct restore_item *i, struct dm_table *t)
{
	const struct restore_kept kept = {
		.recorder = i->all->recorder, .id = i->is.tables[i->slot], .handed = i->handed,
		.active = i->slot == DM_SLOT_ACTIVE, .altered = i->is.altered,
	};

	i->anew = restore_saved(t, &kept, &i->cmd.reply.err);
	return i->anew;
}

/* The words that another program has handed over may have keys. */
static void item_wipe(struct restore_item *i)
{
	if (i->secret)
		explicit_bzero(i->secret, strlen(i->secret));
	free(i->secret);
	i->secret = NULL;
}

static void item_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	struct restore_item *i = container(c, struct restore_item, cmd);

	(void)explain;
	item_wipe(i);
	if (table && (dm_restore_check(table, i->table, DM_RESTORE_LOAD, &c->reply.err) || item_keeps(i, table))) {
		dm_table_free(table);
		table = NULL;
	}
	if (table)
		item_has_table(i, table);
	else
		item_not_there(i, c->reply.err.text);
}

static void item_build(struct restore_item *i, const struct dm_record_table *r)
{
	struct dm_cmd *c = &i->cmd;

	*c = (struct dm_cmd){
		.verb = DM_DO_RELOAD, .world = i->all->world, .device = i->device,
		.text = i->secret ? i->secret : (char *)(uintptr_t)r->lines, .was = i->table,
		.flags = DM_WITH_RECORDED | DM_WITH_LINUX | (r->readonly ? DM_WITH_READONLY : 0) | (i->secret ? DM_WITH_SECRET : 0),
	};
	list_init(&c->node);
	dm_do_build(c, item_built);
}

static void item_table(struct restore_item *i)
{
	struct dm_record_table r;

	free(i->table);
	i->anew = false;
	i->table = restore_table(i->all, i->is.tables[i->slot]);
	if (!i->table) {
		i->table = strdup("");
		if (!i->all->no_memory)
			log_error_of(i->device->name, "the record of '%s' has no table %" PRIu64, i->device->name, i->is.tables[i->slot]);
		item_next(i);
		return;
	}
	i->kept = dm_kept_hold(i->table);
	dm_record_read_table(&r, i->table);
	i->handed = dm_handed_find(i->all->world->records.handed, i->is.tables[i->slot]);
	i->secret = r.secret && i->handed && i->handed->words ? strndup(i->handed->words, i->handed->words_len) : NULL;
	if (r.secret && !i->secret)
		item_not_there(i, "its lines have keys, which are not recorded; load it again");
	else
		item_build(i, &r);
}

/* --- items ----------------------------------------------------------------------------------------------------------- */

static void item_start(struct restore_item *i)
{
	i->started = true;
	i->all->running++;
	i->slot = DM_SLOT_ACTIVE;
	if (i->is.tables[DM_SLOT_ACTIVE])
		item_table(i);
	else
		item_next(i);
}

/* What the move to its table has set is what it was. */
static void item_is_as_it_was(struct restore_item *i)
{
	const struct dm_record_device *is = &i->is;
	struct dm_device *d = i->device;
	unsigned k;

	restore_regions(i);
	d->event_nr = is->event_nr;
	d->active_since = is->active_since;
	d->last_event = is->last_event;
	d->read_ahead = is->read_ahead;
	d->geometry = is->geometry;
	d->locked = is->locked;
	d->ever_loaded = is->loaded;
	d->ever_active = is->lived;
	if (is->deferred)
		dm_device_defer(d);
	d->recorded.number = is->number;
	for (k = 0; k < DM_SLOTS; k++)
		d->recorded.tables[k] = is->tables[k];
	d->recorded.saved[DM_SLOT_ACTIVE] = d->active && d->active->saved;
	d->recorded.saved[DM_SLOT_INACTIVE] = d->inactive && d->inactive->saved;
}

/* Those that stand on it may begin. */
static void item_over(struct restore_item *i)
{
	struct restore *all = i->all;
	struct restore_above *a;

	item_is_as_it_was(i);
	all->running--;
	all->left--;
	all->lost += i->lost;
	for (a = i->above; a; a = a->next)
		if (a->item->waits && !--a->item->waits)
			list_append(&all->ready, &a->item->node);
}

/* The table of its slot is there, or is not. */
static void item_next(struct restore_item *i)
{
	dm_kept_let_go(i->kept);
	i->kept = NULL;
	dm_reply_free(&i->cmd.reply);
	i->cmd.reply = (struct dm_reply){ .err = ERR_INIT };
	if (i->slot == DM_SLOT_ACTIVE && i->is.suspended && !i->device->active)
		item_suspend(i, NULL);
	if (i->slot == DM_SLOT_ACTIVE && i->is.tables[DM_SLOT_INACTIVE]) {
		i->slot = DM_SLOT_INACTIVE;
		item_table(i);
	} else {
		item_over(i);
	}
}

static void items_prepare(struct restore *all)
{
	size_t k;

	for (k = 0; k < all->n; k++) {
		struct restore_item *i = &all->items[k];

		i->go_on.run = item_go_on;
		list_init(&i->go_on.node);
		list_init(&i->node);
		if (!i->waits)
			list_append(&all->ready, &i->node);
	}
}

/* All that is left waits for each other, which no daemon has written: the first of them is not waited for. */
static void items_cut_knot(struct restore *all)
{
	size_t k = 0;

	while (all->items[k].started)
		k++;
	all->items[k].waits = 0;
	list_append(&all->ready, &all->items[k].node);
}

void restore_items(struct restore *all)
{
	struct list *n;

	items_prepare(all);
	while (all->left) {
		while (all->running < ITEMS_AT_ONCE && (n = list_take(&all->ready)))
			item_start(container(n, struct restore_item, node));
		if (all->running)
			loop_turn(all->world->loop, -1);
		else if (all->left && list_empty(&all->ready))
			items_cut_knot(all);
	}
}
