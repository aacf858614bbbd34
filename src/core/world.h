/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world: the devices by name, uuid and minor, the stores they use, the io
 * threads. Nothing is global: two worlds in one process do not see each other.
 * All functions belong to the control thread, whose loop the caller brings.
 */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blocking.h"
#include "base/clock.h"
#include "core/device/device.h"
#include "core/device/mangle.h"
#include "core/state/record.h"
#include "core/table/store.h"
#include "core/table/target.h"

enum dm_change {
	DM_ADDED,
	DM_RENAMED,
	DM_LOADED,	/* it has a table for the first time, in either slot */
	DM_SWAPPED,	/* its active table is another one, and open */
	DM_HAPPENED,	/* its event number is another one */
	DM_ALTERED,	/* a message has changed what its targets keep beside its table: what was saved of it is out of date */
	DM_REMOVED,	/* nobody finds it any more; it is freed next */
};

/* A way for others to reach a device. Each function is called on the control thread and may be NULL. */
struct dm_front {
	struct list node;
	const char *name;
	/* For `export`: adds one URI a line. */
	void (*uris)(struct dm_front *f, const struct dm_device *d, struct text *out);
	/* `shutdown`: adds a sentence a line on each who is cut off by it. */
	void (*users)(struct dm_front *f, struct text *out);
	/* D has become another, and whoever asked for that has no reply yet. */
	void (*changed)(struct dm_front *f, struct dm_device *d, enum dm_change what);
	/*
	 * D's active table is another one: what shows D elsewhere, at another size, follows. Runs THEN when it has; false: there
	 * is nothing to wait for, THEN is not run. Whoever asked for the swap has no reply before.
	 */
	bool (*follow)(struct dm_front *f, struct dm_device *d, struct loop_msg *then);
	/*
	 * A suspend: freezes the file systems that programs have mounted on D; a resume: thaws them. Ends with dm_freeze_done(); false:
	 * there is nothing to wait for. What was frozen stays so if the daemon dies only until that is noticed.
	 */
	bool (*freeze)(struct dm_front *f, struct dm_device *d);
	bool (*thaw)(struct dm_front *f, struct dm_device *d);
	/*
	 * A program may have closed a device, and a command may ask for its open count, before the front knows. Runs
	 * THEN behind all that has happened so far; false: there is nothing to wait for, THEN is not run.
	 */
	bool (*catch_up)(struct dm_front *f, struct loop_msg *then);
	/*
	 * The same for D, which seems to be in use: also behind what the kernel reads ahead from it for programs that have closed
	 * it, which for the kernel they have not before. Takes some seconds at most. May be NULL.
	 */
	bool (*settle)(struct dm_front *f, const struct dm_device *d, struct loop_msg *then);
	/* `mount` and `umount`: ends C with dm_finish() or dm_fail(), at once or later. */
	void (*mount)(struct dm_front *f, struct dm_cmd *c);
	/* `session`: the same. C's node is the front's until then: a command that is cancelled is on it, and taken off. */
	void (*session)(struct dm_front *f, struct dm_cmd *c);
	/* `shutdown`: ends what still uses devices, then calls dm_shutdown_flush(); C's node and a failure in its reply as there. */
	void (*shutdown)(struct dm_front *f, struct dm_cmd *c);
};

struct dm_world {
	struct loop *loop;		/* of the control thread */
	struct clock *clock;
	const struct dm_type *const *types;		/* NULL-terminated, targets.list */
	const struct dm_store_type *const *store_types;	/* NULL-terminated, stores.list */
	uint32_t major;			/* of the mapped devices */

	struct list devices;		/* dm_device.node */
	struct hash by_name, by_uuid, by_minor;	/* its dm_devices */
	size_t n_devices;
	struct list disks;		/* dm_device.node, by minor */
	struct hash disk_names, disk_numbers;
	uint32_t next_minor, next_disk, next_part;	/* where the search for a free one starts: none below is */
	uint64_t walks;			/* down the stacks of devices, so far */
	struct list stores;		/* dm_store.node */
	struct blocking *helpers;	/* threads that open and close stores (opening.h, closing.h) ... */
	uint64_t open_timeout;		/* ... and nanoseconds for which one is waited; 0: for ever */
	struct list openings;		/* dm_opening.node: under way */
	struct list closings, closing_waits;	/* closing.h: under way, and who waits for them */
	uint64_t n_closings;		/* that have begun, so far */
	struct list pending;		/* dm_cmd.node: what takes time, see dm_pending() */
	struct dm_store_index {
		struct list *buckets;	/* dm_store.hashed */
		size_t room, n;		/* ROOM is a power of two, or 0 */
	} store_index;
	struct dm_nameless *nameless;	/* nameless.h; NULL: no file was open yet */
	struct hash shared;		/* dm_shared.by_key */
	struct workers *workers;	/* or NULL (compute.h) */
	unsigned n_clerks;		/* so far: each uses another io thread */
	pthread_mutex_t names;		/* guards dm_device.name: the control thread writes it, others read it (dm_device_name()) */
	struct list fronts;		/* dm_front.node */

	struct dm_io *io;
	unsigned n_io;

	struct {
		atomic_bool raised;	/* since they were last counted */
		atomic_bool msg_pending;	/* `msg` is on its way */
		struct loop_msg msg;
	} events;			/* event.h */

	struct dm_records records;	/* for a later daemon: state/record.h */

	struct list closed;		/* dm_device.closed: closed for the last time, to be removed */
	bool closing;			/* one of these is being removed */
	unsigned n_moves;		/* transitions under way (move.h) */
	struct list retiring;		/* dm_table.retiring */
	struct dm_move end;		/* the last one of all */
	struct err end_err;
	unsigned end_seconds;		/* it may take so long */
	unsigned n_tours;		/* that are under way (round.h) */
	bool releasing;			/* dm_world_release() was called */
	struct list finished;		/* dm_cmd.node: over, but done() was not called yet */
	struct loop_work finishing;

	/*
	 * REPLACE was asked for: the embedder checks what it can, then calls dm_move_hand_over(). Then all devices stand still:
	 * it saves everything and becomes the new program; if it cannot, it calls dm_handed_back(). NULL: there is no such thing.
	 */
	void (*replace)(struct dm_world *w, struct dm_cmd *c);
	void (*hand_over)(struct dm_world *w, struct dm_cmd *c);
	void *replacer;			/* the embedder's, for these */
	struct dm_move *handing;	/* the move that waits for it, or NULL */

	/* SHUTDOWN was asked for: the embedder stops its fronts, calls dm_world_stop(), ends its loop. */
	void (*shutdown)(struct dm_world *w);
	void *owner;			/* the embedder's */
};

struct dm_world_opts {
	struct loop *loop;
	struct clock *clock;		/* NULL: the machine's */
	const struct dm_type *const *types;
	const struct dm_store_type *const *store_types;
	unsigned io_threads;		/* 0: as many as CPUs */
	enum aio_engine engine;
	unsigned busy_poll;		/* of the io threads: microseconds, see loop_poll_for() */
	uint32_t major;			/* 0: DM_MAJOR */
	unsigned open_timeout;		/* seconds that the opening of a store may take; 0: for ever */
};

#define DM_OPEN_TIMEOUT 30u	/* seconds: what is usual for open_timeout */
#define DM_END_SECONDS 30u	/* see dm_world.end_seconds */

#define DM_MAJOR 252u
#define DM_DISK_MAJOR 98u	/* of disks: a type (ubd) that LVM takes for one that may hold volumes */
#define DM_DISK_STEP 16u	/* between their minors: that many, less one, partitions have a number behind their disk's ... */
#define DM_PART_MAJOR 99u	/* ... and all others this major, of the type blkext */
#define DM_LOOP_MAJOR 7u	/* of loop devices: Linux's own, by which tools know them */

int dm_world_new(struct dm_world **out, const struct dm_world_opts *o, struct err *e);

/* From now on suspended devices fail what they hold, and all that comes, with -ESHUTDOWN: nothing waits any more. */
void dm_world_release(struct dm_world *w);

/* The devices were not handed over, because of E: they go on here, then C is answered. */
void dm_handed_back(struct dm_world *w, struct dm_cmd *c, const struct err *e);

/* The fronts one after the other, where each may take its time: the first behind those ASKED, which is counted; NULL: that was all. */
struct dm_front *dm_front_next(const struct dm_world *w, unsigned *asked);

/* A front's freeze() or thaw() is over: 0, or what went wrong. */
void dm_freeze_done(struct dm_device *d, const struct err *e);

/*
 * The end: every device is stopped, every store flushed, every device removed. Fronts must have closed their devices. Turns
 * the loop until it is done. 0, or the first failure with its sentence. -ETIMEDOUT: somebody has not ended in time; then the
 * world cannot be freed. It may be called again.
 */
int dm_world_stop(struct dm_world *w, struct err *e);
void dm_world_free(struct dm_world *w);

/* As people write it, and as HOW says. */
struct dm_device *dm_find_name(struct dm_world *w, const char *name);
struct dm_device *dm_find_uuid(struct dm_world *w, const char *uuid);
struct dm_device *dm_find_name_as(struct dm_world *w, const char *name, enum dm_mangle how);
struct dm_device *dm_find_uuid_as(struct dm_world *w, const char *uuid, enum dm_mangle how);
struct dm_device *dm_find_minor(struct dm_world *w, uint32_t minor);
struct dm_device *dm_find_disk(struct dm_world *w, const char *name);
/* A mapped device or a disk. */
struct dm_device *dm_find_number(struct dm_world *w, uint32_t major, uint32_t minor);

const struct dm_type *dm_find_type(const struct dm_world *w, const char *name);

#endif
