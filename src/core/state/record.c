/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the record: see record.h. What is in a value: record_text.c. */
#include "core/state/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "core/command/do.h"
#include "core/device/device.h"
#include "core/state/done.h"
#include "core/state/record_text.h"
#include "core/state/recorder.h"
#include "core/state/saved.h"
#include "core/table/table.h"

#define KEY 40		/* bytes of a key with a number */

static void flush_soon(struct loop_work *work)
{
	dm_records_flush(container(work, struct dm_world, records.soon));
}

void dm_records_init(struct dm_world *w)
{
	struct dm_records *all = &w->records;

	list_init(&all->put);
	list_init(&all->touched);
	list_init(&all->answers);
	list_init(&all->soon.node);
	all->soon.run = flush_soon;
	dm_saved_init(w);
}

bool dm_recording(const struct dm_world *w)
{
	return w->records.recorder && !w->records.mute;
}

void dm_record_value(struct dm_world *w, const char *key, const char *value, size_t len)
{
	struct dm_recorder *r = w->records.recorder;

	if (dm_recording(w))
		r->put(r, key, value, len);
}

static void put_text(struct dm_world *w, const char *key, struct text *value)
{
	struct dm_recorder *r = w->records.recorder;

	if (value->failed)
		w->records.no_memory = true;
	else
		r->put(r, key, text_str(value), value->len);
	text_free(value);
}

static void table_text(const void *table, struct text *out)
{
	dm_record_table_text(table, out);
}

static void put_table(struct dm_world *w, struct dm_table *t)
{
	struct dm_recorder *r = w->records.recorder;
	char key[KEY];

	if (!t->record)
		t->record = ++w->records.last_table;
	snprintf(key, sizeof(key), "table/%" PRIu64, t->record);
	r->put_by(r, key, table_text, t);
}

static void drop_saved(struct dm_world *w, uint64_t id)
{
	char key[KEY];

	snprintf(key, sizeof(key), "saved/%" PRIu64, id);
	dm_record_value(w, key, NULL, 0);
}

/* What changes from here on is not in it. Without a value a later daemon knows that it has not got what the lines kept. */
static void put_saved(struct dm_world *w, struct dm_table *t)
{
	struct text value = TEXT_INIT;
	struct err e = ERR_INIT;
	char key[KEY];

	atomic_store(&t->unsaved, false);
	snprintf(key, sizeof(key), "saved/%" PRIu64, t->record);
	if (t->secret || dm_saved_text(t, true, &value, &e) || value.len > DM_SAVED_MOST + DM_SAVED_MOST_LINE * t->n) {
		text_free(&value);
		if (t->saved)
			drop_saved(w, t->record);
		t->saved = false;
		return;
	}
	t->saved = true;
	put_text(w, key, &value);
}

static void put_slot(struct dm_world *w, struct dm_table *t, bool is_new)
{
	if (is_new)
		put_table(w, t);
	if (t->records && !t->lost && (is_new || atomic_load(&t->unsaved)))
		put_saved(w, t);
}

static bool is_among(uint64_t id, const uint64_t ids[DM_SLOTS])
{
	return id && (id == ids[DM_SLOT_ACTIVE] || id == ids[DM_SLOT_INACTIVE]);
}

/* Tables that D's record does not have yet, and those that it has no more. */
static void put_tables(struct dm_device *d, const struct dm_view *v)
{
	struct dm_recorded *is = &d->recorded;
	char key[KEY];
	unsigned i;

	for (i = 0; i < DM_SLOTS; i++) {
		if (v->slots[i])
			put_slot(d->world, v->slots[i], !is_among(v->slots[i]->record, is->tables));
		is->next[i] = v->slots[i] ? v->slots[i]->record : 0;
		is->next_saved[i] = v->slots[i] && v->slots[i]->saved;
	}
	for (i = 0; i < DM_SLOTS; i++) {
		if (!is->tables[i] || is_among(is->tables[i], is->next))
			continue;
		snprintf(key, sizeof(key), "table/%" PRIu64, is->tables[i]);
		dm_record_value(d->world, key, NULL, 0);
		if (is->saved[i])
			drop_saved(d->world, is->tables[i]);
	}
	list_remove(&is->put);
	list_append(&d->world->records.put, &is->put);
}

static void drop_disk(struct dm_device *d)
{
	char key[sizeof("disk/") + DM_NAME_MAX];

	snprintf(key, sizeof(key), "disk/%s", d->name);
	if (!d->whole)
		dm_record_value(d->world, key, NULL, 0);
}

/*
 * A later daemon reads the label again; the partitions are for the time while it cannot (restore_parts.c). A loop device
 * without a file is made again by whoever wants one.
 */
static void put_disk(struct dm_device *d)
{
	char key[sizeof("disk/") + DM_NAME_MAX];
	struct text value = TEXT_INIT;
	struct dm_view v;

	dm_view_device(&v, d);
	if (d->whole || !v.there || !v.slots[DM_SLOT_ACTIVE]) {
		drop_disk(d);
		return;
	}
	snprintf(key, sizeof(key), "disk/%s", d->name);
	dm_record_disk_text(d, v.slots[DM_SLOT_ACTIVE], &value);
	put_text(d->world, key, &value);
	list_remove(&d->recorded.put);
	list_append(&d->world->records.put, &d->recorded.put);
}

void dm_record_put(struct dm_device *d)
{
	struct text value = TEXT_INIT;
	struct dm_view v;
	char key[KEY];

	if (!dm_recording(d->world))
		return;
	if (d->disk) {
		put_disk(d);
		return;
	}
	dm_view_device(&v, d);
	if (!v.there) {
		dm_record_drop(d);
		return;
	}
	if (!d->recorded.number)
		d->recorded.number = ++d->world->records.last_device;
	put_tables(d, &v);
	snprintf(key, sizeof(key), "device/%" PRIu32, d->minor);
	dm_record_device_text(d, &v, &value);
	put_text(d->world, key, &value);
}

void dm_record_drop(struct dm_device *d)
{
	const struct dm_view nothing = { .there = false };
	char key[KEY];

	if (!dm_recording(d->world))
		return;
	if (d->disk) {
		drop_disk(d);
		return;
	}
	put_tables(d, &nothing);
	snprintf(key, sizeof(key), "device/%" PRIu32, d->minor);
	dm_record_value(d->world, key, NULL, 0);
}

/* A frame that had what its tables keep was not committed: the next one has to. */
static void not_saved(struct dm_device *d)
{
	struct dm_table *const all[] = { d->active, d->inactive, d->moving.leaving, d->moving.incoming };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] && all[i]->records)
			atomic_store(&all[i]->unsaved, true);
}

/* What was put is what is recorded; or it never was put. */
static void settle(struct dm_world *w, bool committed)
{
	struct list *n;
	unsigned i;

	while ((n = list_take(&w->records.put))) {
		struct dm_recorded *is = container(n, struct dm_recorded, put);

		for (i = 0; i < DM_SLOTS && committed; i++) {
			is->tables[i] = is->next[i];
			is->saved[i] = is->next_saved[i];
		}
		if (!committed)
			not_saved(container(is, struct dm_device, recorded));
		if (committed)
			list_remove(&is->touched);
	}
	w->records.no_memory = false;
	w->records.unsynced = w->records.unsynced || committed;
}

static int commit(struct dm_world *w, int (*how)(struct dm_recorder *r, struct err *e), struct err *e)
{
	struct dm_recorder *r = w->records.recorder;
	int code;

	if (!w->records.no_memory) {
		code = how(r, e);
	} else {
		r->forget(r);
		code = err_set(e, -ENOMEM, "no memory to record it");
	}
	settle(w, !code);
	return code;
}

int dm_record_commit(struct dm_world *w, struct dm_cmd *c, struct err *e)
{
	int code;

	if (!dm_recording(w))
		return 0;
	dm_done_put(w, c);
	code = commit(w, w->records.recorder->commit, e);
	dm_done_settle(w, c, !code);
	return code;
}

int dm_record_commit_undo(struct dm_world *w, struct err *e)
{
	return dm_recording(w) ? commit(w, w->records.recorder->commit_undo, e) : 0;
}

int dm_record_device(struct dm_device *d, struct dm_cmd *c)
{
	dm_record_put(d);
	return dm_record_commit(d->world, c, &c->reply.err);
}

int dm_record_now(struct dm_device *d, struct err *e)
{
	dm_record_put(d);
	return dm_record_commit(d->world, NULL, e);
}

static void touch(struct dm_device *d)
{
	struct dm_world *w = d->world;

	if (!dm_recording(w))
		return;
	list_remove(&d->recorded.touched);
	list_append(&w->records.touched, &d->recorded.touched);
	loop_defer(w->loop, &w->records.soon);
}

void dm_record_touch(struct dm_device *d)
{
	if (!d->disk)
		touch(d);
}

void dm_record_parts(struct dm_device *disk)
{
	touch(disk);
}

/* They stay touched if it fails, so that a later frame has them. */
void dm_records_flush(struct dm_world *w)
{
	struct list *n, *next;
	struct err e = ERR_INIT;
	unsigned held;

	if (list_empty(&w->records.touched))
		return;
	list_each(n, next, &w->records.touched)
		dm_record_put(container(n, struct dm_device, recorded.touched));
	if (dm_record_commit(w, NULL, &e) && log_rate(&w->records.complaints, clock_now(w->clock), &held))
		log_error("what has happened to devices is not recorded: %s", e.text);
}

void dm_record_forget(struct dm_device *d)
{
	list_remove(&d->recorded.put);
	list_remove(&d->recorded.touched);
}

bool dm_record_sync(struct dm_world *w, struct journal_wait *then)
{
	struct dm_recorder *r = w->records.recorder;

	return dm_recording(w) && r->durable && r->sync(r, then);
}
