/* SPDX-License-Identifier: BSD-2-Clause */
/* What a transition (move.h) and a device in one remember. Control thread. */
#ifndef CORE_MOVING_H
#define CORE_MOVING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "core/command/command.h"

struct dm_cmd;
struct dm_device;
struct dm_flushing;
struct dm_phase;
struct dm_plan;
struct dm_table;
struct dm_world;

/* One device, or several as one, on the way that PLAN describes. It is at one phase of one device at a time. */
struct dm_move {
	struct dm_world *world;
	const struct dm_plan *plan;
	struct dm_cmd *cmd;		/* that it serves; NULL: none, or that has its answer already */
	struct list devices;		/* dm_moving.node: whatever stands on others comes before them */
	bool several;
	bool on_heap;			/* freed at its end */
	struct list *at;		/* the device ... */
	unsigned leg, phase;		/* ... and the phase */
	unsigned long n_done;		/* phases that are over */
	bool back;			/* undoing */
	bool failed;			/* the way back was taken, or is */
	bool given_up;			/* nobody wants it any more: back as soon as a phase is over */
	bool committed;			/* there is no way back */
	bool noflush, nolockfs;		/* of the command */
	bool all_flushed;		/* the world's end: all stores */
	bool recorded;			/* there is a frame about it, even if it turns back ... */
	struct dm_recording *recording;	/* ... and this waits until that survives a power cut */
	bool running, stepped;		/* move_run() is under way, and a phase is over */
	struct err *err;		/* for the first failure; NULL: the log has it */
	void (*done)(struct dm_move *m, struct dm_device *first);	/* ends the command, if it is still there; may be NULL */
};

/* What becomes of a device besides its state and its tables, when a transition is decided. */
struct dm_traits {
	struct dm_geometry geometry;
	uint32_t read_ahead;
	bool locked, ever_loaded, ever_active;
	uint64_t active_since;
};

enum dm_freeze_state {
	DM_THAWED,
	DM_FREEZING,	/* what is mounted on the device is being frozen */
	DM_FROZEN,
	DM_THAWING,
};

struct dm_moving {
	struct dm_move *move;		/* the one under way, or NULL */
	struct dm_move own;		/* for moves of this device alone, which need no memory then */
	struct list node;		/* in move->devices */
	struct list in_order;		/* while devices are being put in order (move_group.c) */
	bool chosen;			/* the same: it is to take part */
	bool was_suspended;		/* when it began */
	bool below;			/* another device of the move stands on this one */
	bool stays_suspended;		/* it could not be undone: the device stays suspended */
	bool decided;			/* the record says what becomes of it */
	bool refused;			/* it could not be recorded */
	struct dm_traits before;	/* what it had until then */
	bool swapped;			/* `incoming` is the active table ... */
	bool from_slot;			/* ... and was the inactive one */
	bool gone;			/* nobody finds it any more; it is freed at the end */
	const struct dm_phase *left_at;	/* the world's end goes on without it, because this phase is not over; else NULL ... */
	bool late;			/* ... and by now it is */
	bool ended;			/* the world's end has stopped it */
	struct dm_table *incoming;	/* the next table, or NULL */
	struct dm_table *leaving;	/* the one before it, once they have changed places */
	struct dm_flushing *flushing;	/* the flush that is waited for */
	unsigned n_followed;		/* fronts that have followed the swap */
	enum dm_freeze_state freeze_state;
	bool freeze_awaited;		/* the move waits for it to change */
};

#endif
