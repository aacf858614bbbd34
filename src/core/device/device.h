/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mapped device: name, uuid, minor, two table slots, suspend state, open
 * count, event number, counters. Its fields belong to the control thread, but
 * for the lanes: each io thread sees the device only through its own lane.
 *
 * A disk is a device that shows one store as it is, for sessions (/dev/NAME). It
 * has a number of its own and one table for ever, and no command but disk, undisk
 * and disks knows it. Its partitions (parts.h) are such devices, too, and so are
 * loop devices (loopdev.h), which programs of sessions make.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/loop.h"
#include "core/command/command.h"
#include "core/path/io.h"
#include "core/device/moving.h"
#include "core/path/stats.h"
#include "core/state/record.h"
#include "core/table/table.h"

#define DM_NAME_MAX 127		/* bytes without the NUL, as in struct dm_ioctl */
#define DM_UUID_MAX 128

struct dm_loopdev;

enum dm_gate {
	DM_GATE_OPEN,	/* requests pass */
	DM_GATE_SHUT,	/* requests are parked: suspended, or about to be */
	DM_GATE_INNER,	/* the same, but for those that come from devices above: these move together with this one */
	DM_GATE_GONE,	/* requests fail with -ESHUTDOWN: the world ends */
};

/* The device as one io thread sees it. Only that thread touches it, unless nobody has the device open. */
struct dm_lane {
	alignas(64) const struct dm_table *table;	/* the active one, or NULL */
	struct dm_stats *_Atomic stats;			/* made at the first request */
	struct dm_device *device;
	struct dm_regions *_Atomic regions;		/* or NULL */
	uint64_t walk;			/* the last flush that came by */
	uint32_t inflight;
	uint8_t gate;			/* enum dm_gate */
	bool draining;			/* the control thread waits for inflight to become 0 */
	bool want_drain;
	uint8_t want_gate;
	struct dm_req *parked, **parked_tail;
	/* The round (round.h): what the control thread asked of this lane, and the answer. */
	struct loop_msg ask, ack, cancel;
	const struct dm_table *want_table;
	struct dm_io *io;
};

enum dm_state {
	DM_ACTIVE,
	DM_SUSPENDING,	/* on the way to a standstill: of a suspend, a swap, a removal */
	DM_SUSPENDED,
	DM_RESUMING,	/* on the way back, or to the first table */
};

struct dm_device {
	struct dm_world *world;
	const char *name;		/* as people write it; other threads ask dm_device_name() ... */
	const char *uuid;		/* "" if none */
	const char *kernel_name, *kernel_uuid;	/* ... and as the kernel has it (mangle.h): the same memory, if that is the same */
	uint32_t major, minor;		/* one behind the other: a key of the world's disk_numbers */
	struct list node;		/* in the world's devices, by creation; or in its disks, by minor */
	struct hash_link by_name, by_uuid, by_minor;

	struct dm_table *active, *inactive;
	enum dm_state state;
	bool readonly;			/* of the device; a table can be read-only too */
	bool locked;			/* a program has made it read-only for those who open it; until the next swap */
	bool ever_loaded, ever_active;	/* it had a table once; an active one */
	bool deferred;			/* to be removed at the last close ... */
	void (*last_close)(struct dm_device *d);	/* ... by this */
	struct list closed;		/* in the world's: its turn has not come yet (device_hold.c) */
	uint32_t open_count;		/* fronts that have it open, and tables that use it */
	uint32_t users;			/* how many of those are tables: they claim it together */
	uint32_t writers;		/* fronts that may write to it, or have it mounted (above.h) */
	uint32_t in_sessions;		/* how many of those who have it open are programs in sessions, or mounts there */
	struct list uses;		/* dm_use.node: of those tables, once they are built */
	bool claimed;			/* by an exclusive user: no table, nobody else may */
	bool disk;			/* or a partition of one: */
	struct dm_device *whole;	/* the disk, or NULL */
	uint32_t part;			/* the partition's number ... */
	uint64_t part_start;		/* ... and where it begins, in sectors */
	unsigned refs;			/* of a disk: `disk` commands that no `undisk` took back */
	struct dm_loopdev *loopdev;	/* of a loop device, or NULL */
	uint32_t read_ahead;		/* sectors: what programs are told */
	struct dm_geometry geometry;
	uint32_t event_nr;
	uint64_t active_since, last_event;	/* when it got its active table, and its last event: seconds since 1970; 0: never */
	struct dm_stats *stats_base;	/* what the counters stood at when they were reset, or NULL */
	struct dm_regions *regions;	/* what is counted besides, or NULL */
	struct dm_faults *_Atomic faults;	/* what has failed (fault.h), or NULL */
	struct list waiting;		/* dm_cmd.node: `wait` for the next event */
	struct list queue;		/* dm_cmd.node: commands that wait for the transition to end */

	struct dm_recorded recorded;	/* for a later daemon (state/record.h) */
	struct dm_moving moving;	/* the transition under way: one at a time (move.h) */
	struct loop_msg followed;
	enum dm_gate gate;		/* of all lanes, as of the last round */
	unsigned acks;			/* answers of lanes that are still to come */
	void (*then)(struct dm_device *d);

	uint64_t walk;			/* the last walk that came by, see dm_device_first_visit() */
	struct dm_device *walk_next;	/* the device that this walk goes on with after this one ... */
	size_t walk_at;			/* ... and stores of this one that it has seen; a stack may be too deep for recursion */

	struct dm_lane lanes[];		/* one for each io thread */
};

/* A walk down the devices (its number is ++world->walks) visits each once, however many ways lead to it. */
static inline bool dm_device_first_visit(struct dm_device *d, uint64_t walk)
{
	bool first = d->walk != walk;

	d->walk = walk;
	return first;
}

/* Sectors of the active table; 0 without one. */
static inline uint64_t dm_device_sectors(const struct dm_device *d)
{
	return d->active ? d->active->sectors : 0;
}

/* Is a transition under way? */
static inline bool dm_device_moving(const struct dm_device *d)
{
	return d->moving.move;
}

/* Does it stand still, or will it if the transition fails? */
static inline bool dm_device_suspended(const struct dm_device *d)
{
	return d->state == DM_SUSPENDED || (dm_device_moving(d) && d->moving.was_suspended);
}

static inline bool dm_device_readonly(const struct dm_device *d)
{
	return d->readonly || (d->active && d->active->readonly);
}

/* Adds what all io threads have counted since D was made. Control thread. */
void dm_device_stats(const struct dm_device *d, struct dm_stats *total);

/* D's name, copied to NAME, which is returned. Any thread; the control thread may read D->name. */
const char *dm_device_name(const struct dm_device *d, char name[DM_NAME_MAX + 1]);

/*
 * A front (or a table) takes a device for use, and gives it back; control thread. While it is held it cannot be
 * removed. dm_close() on the last hold of a device marked for deferred removal begins to remove it.
 */
void dm_open(struct dm_device *d);
void dm_close(struct dm_device *d);

/*
 * All who had a device open in an earlier program have it open again: what is to be removed at its last close, and nobody has
 * open, is removed. Nothing is as long as a device waits for its table.
 */
void dm_close_unused(struct dm_world *w);

/* The same for a table, which claims the device together with all other tables. */
void dm_use(struct dm_device *d);
void dm_unuse(struct dm_device *d);

/* For one user alone, who has it open: 0, or -EBUSY if a table or another one claims it. */
int dm_claim(struct dm_device *d);
/* What a user alone has claimed so that D cannot be: D, its disk or a partition of it; or NULL. */
const struct dm_device *dm_claimed(const struct dm_device *d);
void dm_unclaim(struct dm_device *d);

#endif
