/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phase that decides: what the devices of a move will be is recorded, in one frame for all of them, while requests
 * still wait. If that fails the move turns back; if it turns back later, what they were is recorded again. See
 * move_own.h and state/record.h.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <stdlib.h>

#include "core/device/devices.h"
#include "core/state/done.h"
#include "core/state/record.h"
#include "core/state/recorder.h"

/* Waits until a frame survives a power cut. Whoever gives it up leaves it alone. */
struct dm_recording {
	struct journal_wait wait;
	struct dm_world *world;
	struct dm_device *device;	/* NULL: it was given up */
};

/* With another table. */
static void traits_swap(struct dm_device *d)
{
	const struct dm_table *old = d->moving.leaving;

	d->locked = false;
	d->ever_loaded = d->ever_active = true;
	if (old && old->sectors != dm_device_sectors(d))
		d->geometry = (struct dm_geometry){ 0 };	/* it was of another size */
	dm_device_read_ahead(d);
}

static void decide(struct dm_move *m, struct dm_device *d)
{
	dm_traits_save(d);
	if (d->moving.swapped)
		traits_swap(d);
	if (m->cmd && m->plan->after == DM_ACTIVE && !m->plan->removes)
		dm_device_set_read_ahead(d, &m->cmd->read_ahead);
	d->moving.decided = true;
}

static void undecide(struct dm_device *d)
{
	if (d->moving.decided)
		dm_traits_undo(d);
	d->moving.decided = false;
}

static void synced(struct loop_msg *msg)
{
	struct dm_recording *r = container(msg, struct dm_recording, wait.msg);
	struct dm_device *d = r->device;
	struct err e = ERR_INIT;

	if (r->wait.code)
		r->world->records.recorder->failed(r->world->records.recorder, &e);
	free(r);
	if (!d)
		return;
	d->moving.move->recording = NULL;
	dm_phase_done(d, &e);
}

/* For a recorder that takes its time. */
static void wait_for_sync(struct dm_move *m, struct dm_device *d)
{
	struct dm_recording *r = calloc(1, sizeof(*r));
	struct err e = ERR_INIT;

	if (!r) {
		err_set(&e, -ENOMEM, "no memory to wait for the record of '%s'", d->name);
		dm_phase_done(d, &e);
		return;
	}
	*r = (struct dm_recording){ .wait.msg.run = synced, .world = m->world, .device = d };
	m->recording = r;
	if (dm_record_sync(m->world, &r->wait))
		return;
	free(r);
	m->recording = NULL;
	dm_phase_done(d, NULL);
}

static void committed(struct dm_move *m, struct dm_device *d)
{
	if (dm_recording(m->world) && m->world->records.recorder->durable)
		wait_for_sync(m, d);
	else
		dm_phase_done(d, NULL);
}

static void put_all(struct dm_move *m)
{
	struct list *n, *next;

	list_each(n, next, &m->devices)
		dm_record_put(container(n, struct dm_device, moving.node));
}

/* Each is decided; the last one's turn is the frame's. */
static bool is_last(const struct dm_move *m, const struct dm_device *d)
{
	return m->devices.prev == &d->moving.node;
}

static void refused(struct dm_move *m, struct dm_device *d, struct err *e)
{
	struct list *n, *next;

	list_each(n, next, &m->devices)
		container(n, struct dm_device, moving.node)->moving.refused = true;
	err_append(e, "; '%s' stays as it was", d->name);
	dm_phase_done(d, e);
}

static void record_run(struct dm_move *m, struct dm_device *d)
{
	struct err e = ERR_INIT;

	decide(m, d);
	if (!is_last(m, d)) {
		dm_phase_done(d, NULL);
		return;
	}
	put_all(m);
	if (dm_record_commit(m->world, m->cmd, &e)) {
		refused(m, d, &e);
		return;
	}
	m->recorded = true;
	committed(m, d);
}

/* Nothing passes before the record says again what is so; if it cannot, the device stays suspended. */
static void record_undo(struct dm_move *m, struct dm_device *d)
{
	struct err e = ERR_INIT;
	struct list *n, *next;

	if (!is_last(m, d) || !m->recorded) {
		undecide(d);
		dm_phase_done(d, NULL);
		return;
	}
	list_each(n, next, &m->devices)
		undecide(container(n, struct dm_device, moving.node));
	put_all(m);
	dm_done_undo(m->world, m->cmd);
	if (!dm_record_commit_undo(m->world, &e)) {
		committed(m, d);
		return;
	}
	list_each(n, next, &m->devices)
		container(n, struct dm_device, moving.node)->moving.stays_suspended = true;
	dm_phase_done(d, &e);
}

static void record_give_up(struct dm_move *m, struct dm_device *d)
{
	if (!m->recording)
		return;
	m->recording->device = NULL;
	m->recording = NULL;
	dm_phase_done(d, NULL);
}

const struct dm_phase dm_phase_record = {
	.name = "record", .run = record_run, .undo = record_undo, .give_up = record_give_up,
};
