/* SPDX-License-Identifier: BSD-2-Clause */
/* How commands end, and what all handlers share: see do.h. Handlers call this file; it calls none of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/path/fault.h"
#include "core/state/lost.h"
#include "core/state/recorder.h"

/* Counted as on Linux: a device that is mapped onto D opens it once, even if both its tables use it in the same way. */
static uint32_t opens(const struct dm_device *d)
{
	uint32_t n = d->open_count - d->users;
	struct list *at, *next;

	if (d->users < 2)
		return d->open_count;
	list_each(at, next, &d->uses) {
		const struct dm_use *u = container(at, struct dm_use, node);
		const struct dm_device *on = u->table->device;

		n += on && !(u->table != on->active && dm_table_uses(on->active, d, u->reads));
	}
	return n;
}

/* Whoever asks about the inactive table gets its state. */
static bool readonly_in(const struct dm_device *d, uint32_t flags)
{
	if (flags & DM_WITH_INACTIVE)
		return d->inactive && d->inactive->readonly;
	return dm_device_readonly(d) || d->locked;
}

void dm_info_fill(struct dm_info *i, const struct dm_device *d, uint32_t flags)
{
	const struct dm_table *slot = flags & DM_WITH_INACTIVE ? d->inactive : d->active;

	*i = (struct dm_info){
		.present = true, .major = d->major, .minor = d->minor,
		.suspended = dm_device_suspended(d), .readonly = readonly_in(d, flags), .deferred = d->deferred,
		.live = d->active, .inactive = d->inactive, .open_count = opens(d), .event_nr = d->event_nr,
		.target_count = slot ? (uint32_t)slot->n : 0, .sectors = dm_device_sectors(d),
		.active_since = d->active ? d->active_since : 0, .last_event = d->last_event, .has_read_ahead = d->ever_loaded, .read_ahead = d->read_ahead,
	};
	strcpy(i->name, flags & DM_WITH_KERNEL_NAMES ? d->kernel_name : d->name);
	strcpy(i->uuid, flags & DM_WITH_KERNEL_NAMES ? d->kernel_uuid : d->uuid);
	strcpy(i->kernel_name, d->kernel_name);
	strcpy(i->kernel_uuid, d->kernel_uuid);
}

/* Those that were built, and not put into a slot. */
static void finish_tables(struct dm_cmd *c)
{
	dm_table_free(c->table);
	c->table = NULL;
	while (c->n_tables)
		dm_table_free(c->tables[--c->n_tables]);
	free(c->tables);
	c->tables = NULL;
}

static void finish_now(struct dm_cmd *c)
{
	c->finished = true;
	list_append(&c->world->finished, &c->node);
	loop_defer(c->world->loop, &c->world->finishing);
}

static void closed(struct dm_closing_wait *w)
{
	struct dm_cmd *c = container(w, struct dm_cmd, closed);

	dm_pending_done(c);
	finish_now(c);
}

static void closes_late(struct dm_closing_wait *w, const struct dm_store *s)
{
	struct dm_cmd *c = container(w, struct dm_cmd, closed);

	text_printf(&c->reply.warnings, "'%.700s' is still being closed: its file system does not answer\n", s->name);
}

/* What it was to do is done. */
static void closed_give_up(struct dm_cmd *c)
{
	if (!c->has_failed)
		c->reply.err = (struct err)ERR_INIT;
	dm_closing_wait_stop(&c->closed);
	closed(&c->closed);
}

/* Who has removed a device finds its file free. */
static bool finish_waits(struct dm_cmd *c)
{
	c->closed.to = c->world->n_closings;
	c->closed.late = closes_late;
	c->closed.over = closed;
	if (!c->needs_freed || !dm_closing_wait(c->world, &c->closed))
		return false;
	c->has_failed = c->reply.err.code;
	dm_pending(c, NULL, closed_give_up);
	return true;
}

void dm_finish(struct dm_cmd *c)
{
	finish_tables(c);
	if (c->device)
		dm_info_fill(&c->reply.info, c->device, c->flags);
	c->device = NULL;
	if (!finish_waits(c))
		finish_now(c);
}

static void answer(struct list *commands)
{
	struct list *n;

	while ((n = list_take(commands))) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		c->done(c);
	}
}

/* What could not be made durable has been carried out; nothing that comes later is recorded. */
static void answers_tell(struct dm_world *w)
{
	struct list *n, *next;
	struct err e = ERR_INIT;

	if (!w->records.synced.code || !w->records.recorder->failed(w->records.recorder, &e))
		return;
	list_each(n, next, &w->records.answers) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		if (c->recorded && !c->reply.err.code)
			err_set(&c->reply.err, e.code, "it was carried out, but may not survive a power cut: %s", e.text);
	}
}

static void answers_go(struct loop_msg *msg)
{
	struct dm_world *w = container(msg, struct dm_world, records.synced.msg);

	w->records.syncing = false;
	answers_tell(w);
	answer(&w->records.answers);
	dm_run_finished(&w->finishing);
}

/* Nobody hears of a change before its record is as durable as it is to be. */
void dm_run_finished(struct loop_work *work)
{
	struct dm_world *w = container(work, struct dm_world, finishing);
	struct list *n;

	dm_records_flush(w);
	if (w->records.syncing)
		return;
	w->records.synced.msg.run = answers_go;
	w->records.syncing = w->records.unsynced && !list_empty(&w->finished) && dm_record_sync(w, &w->records.synced);
	w->records.unsynced = w->records.unsynced && list_empty(&w->finished);
	if (!w->records.syncing) {
		answer(&w->finished);
		return;
	}
	while ((n = list_take(&w->finished)))
		list_append(&w->records.answers, n);
}

void dm_fail(struct dm_cmd *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(&c->reply.err, code, fmt, ap);
	va_end(ap);
	dm_finish(c);
}

enum dm_mangle dm_mangling(const struct dm_cmd *c)
{
	if (c->flags & DM_WITH_KERNEL_NAMES)
		return DM_MANGLE_NONE;
	return c->flags & DM_WITH_HEX ? DM_MANGLE_HEX : DM_MANGLE_AUTO;
}

void dm_pending(struct dm_cmd *c, void *work, void (*give_up)(struct dm_cmd *c))
{
	c->pending = work;
	c->give_up = give_up;
	list_append(&c->world->pending, &c->node);
}

void dm_pending_done(struct dm_cmd *c)
{
	list_remove(&c->node);
	c->give_up = NULL;
}

void dm_pending_cancel(struct dm_cmd *c, int code, const char *why)
{
	if (!c->reply.err.code)
		err_set(&c->reply.err, code, "%s", why);
	c->give_up(c);
}

static struct dm_cmd *pending_of(struct dm_device *d)
{
	struct list *n, *next;

	list_each(n, next, &d->world->pending)
		if (container(n, struct dm_cmd, node)->device == d)
			return container(n, struct dm_cmd, node);
	return NULL;
}

/* From the beginning after each: giving one up may remove another device, whose commands are then no longer in the list. */
void dm_pending_device_gone(struct dm_device *d)
{
	struct dm_cmd *c;

	while ((c = pending_of(d))) {
		c->device = NULL;
		dm_pending_cancel(c, -ENXIO, "the device was removed meanwhile");
	}
}

/* Added to the replies to which people look first when something does not work. */
void dm_do_faults(struct dm_cmd *c, struct dm_device *d)
{
	if (dm_linux_has_no_warnings(c))
		return;
	dm_lost_tell(d, &c->reply.warnings);
	dm_faults_tell(d, &c->reply.warnings);
}

bool dm_cmd_has_room(struct dm_cmd *c, size_t n)
{
	return !c->room || c->room(c, n);
}

void dm_reply_free(struct dm_reply *r)
{
	text_free(&r->warnings);
	text_free(&r->said);
	arena_wipe(&r->arena);		/* it may have the words of a table with a key */
}
