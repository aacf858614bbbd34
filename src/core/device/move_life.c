/* SPDX-License-Identifier: BSD-2-Clause */
/* The phases with which a device comes and goes: see move_own.h. */
#include "core/device/move_own.h"

#include <errno.h>

#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/path/flush.h"
#include "core/path/round.h"
#include "core/device/step.h"

static void announce_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_device_changed(d, DM_ADDED);
	dm_phase_done(d, NULL);
}

const struct dm_phase dm_phase_announce = { .name = "fronts", .run = announce_run, .on_cancel = DM_GOES_ON };

/* Who asked is told of the device as it was. */
static void leave_run(struct dm_move *m, struct dm_device *d)
{
	struct err e = ERR_INIT;

	if (d->open_count) {
		err_set(&e, -EBUSY, "device '%s' is in use (open count %u)%s", d->name, d->open_count,
			m->plan->end ? " to the last" : ": it was opened meanwhile");
		dm_phase_done(d, &e);
		return;
	}
	if (m->cmd && m->cmd->device == d) {
		dm_info_fill(&m->cmd->reply.info, d, m->cmd->flags);
		m->cmd->device = NULL;
	}
	d->moving.gone = true;
	dm_device_leave(d);
	dm_phase_done(d, NULL);
}

/* At the world's end the table that uses it may be one that was left out. */
static bool leaves(const struct dm_move *m, const struct dm_device *d)
{
	return !m->plan->end || !d->users;
}

const struct dm_phase dm_phase_leave = { .name = "name", .concerns = leaves, .run = leave_run };

static bool is_gone(const struct dm_move *m, const struct dm_device *d)
{
	(void)m;
	return d->moving.gone;
}

static void retired_inactive(void *arg)
{
	struct dm_device *d = arg;

	dm_phase_done(d, NULL);
}

static void retired_active(void *arg)
{
	struct dm_device *d = arg;
	struct dm_table *t = d->inactive;

	d->inactive = NULL;
	dm_table_retire(d->world, t, retired_inactive, d);
}

/* Closing what is below may remove that in turn. */
static void retire_run(struct dm_move *m, struct dm_device *d)
{
	struct dm_table *t = d->active;

	d->active = NULL;
	dm_table_retire(m->world, t, retired_active, d);
}

const struct dm_phase dm_phase_retire = {
	.name = "tables' end", .concerns = is_gone, .run = retire_run, .on_cancel = DM_GOES_ON,
};

static void release_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_round(d, DM_GATE_GONE, false, d->active, dm_phase_round_done);
}

const struct dm_phase dm_phase_release = { .name = "gate", .run = release_run, .on_cancel = DM_GOES_ON };

static void all_flushed(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	dm_phase_done(d, e);
}

/* Once, whatever stands on what. */
static void flush_all_run(struct dm_move *m, struct dm_device *d)
{
	m->all_flushed = true;
	dm_flush_stores(m->world, all_flushed, d);
}

static bool is_not_flushed(const struct dm_move *m, const struct dm_device *d)
{
	(void)d;
	return !m->all_flushed;
}

const struct dm_phase dm_phase_flush_all = {
	.name = "flush of all stores", .concerns = is_not_flushed, .run = flush_all_run, .on_cancel = DM_GOES_ON,
};
