/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a later daemon needs to have the same devices (restore.h), written to the world's recorder. It is state, not
 * commands: whoever has changed something records how it is now, before he answers; if that fails he undoes the change.
 * Keys and values are text:
 *
 *   device/MINOR   name, uuid, flags, numbers, and the ids of the tables in its slots
 *   table/ID       its stores, so that they are recognized, and its lines as `table` prints them
 *   saved/ID       what its lines keep beside their words, if the record may have it (saved.h)
 *   disk/NAME      what a disk shows, and its partitions
 *   mount/PATH     a directory in which the devices are files, and which of them it is by the order of mounting
 *   done/ID        a command that was carried out, and its answer (done.h)
 *   world          the major number of the devices
 *   options        with which the daemon was started (cmd/serve_state.h)
 *
 * Without a recorder, and while the state is being restored, all of this does nothing and succeeds. Control thread.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/list.h"
#include "base/log.h"

struct dm_cmd;
struct dm_device;
struct dm_handed;
struct dm_recorder;
struct dm_table;
struct dm_world;

enum { DM_SLOT_ACTIVE, DM_SLOT_INACTIVE, DM_SLOTS };

/* The world's part. */
struct dm_records {
	struct dm_recorder *recorder;	/* NULL: nothing is recorded */
	bool mute;			/* while the state is being restored */
	uint64_t last_table, last_device;	/* numbers given so far */
	struct list put;		/* dm_recorded.put: devices of the frame that is not committed yet */
	struct list touched;		/* dm_recorded.touched: those that have changed without a command */
	struct loop_work soon;		/* for these */
	bool no_memory;			/* for a value of that frame */
	struct loop_msg changed;	/* lines keep something else (saved.h) ... */
	atomic_bool changed_pending;	/* ... and the message is on its way */
	struct log_rate complaints;
	bool unsynced;			/* something was committed since the last sync was asked for */
	bool syncing;			/* it is not over: */
	struct journal_wait synced;
	struct list answers;		/* dm_cmd.node: these wait for it */
	struct dm_dones *dones;		/* done.h */
	const struct dm_handed *handed;	/* from the program that this one has replaced, while the state is restored; or NULL */
};

/* The device's part. */
struct dm_recorded {
	uint64_t number;		/* by the order of creation, from 1; 0: never recorded */
	uint64_t tables[DM_SLOTS];	/* the ids in its record; 0: none */
	uint64_t next[DM_SLOTS];	/* of the frame that is not committed yet */
	bool saved[DM_SLOTS], next_saved[DM_SLOTS];	/* the same: there is a saved/ID as well */
	struct list put, touched;
};

void dm_records_init(struct dm_world *w);

/* Is there anybody to record for? */
bool dm_recording(const struct dm_world *w);

/* D as it is now, or as its transition has decided, is in the next frame; or that it is gone. */
void dm_record_put(struct dm_device *d);
void dm_record_drop(struct dm_device *d);
/* Any other value; NULL: it goes. */
void dm_record_value(struct dm_world *w, const char *key, const char *value, size_t len);
/* The frame is written, with the answer to C (which may be NULL): 0, or -errno and a sentence, and nothing was recorded. */
int dm_record_commit(struct dm_world *w, struct dm_cmd *c, struct err *e);

/* Both for one device, which C has changed; E is C's. */
int dm_record_device(struct dm_device *d, struct dm_cmd *c);
/* The same for one that somebody else has changed. */
int dm_record_now(struct dm_device *d, struct err *e);
/* D has changed without a command: recorded before anybody is answered. If it fails, the log has it. */
void dm_record_touch(struct dm_device *d);
/* The partitions of DISK have changed. */
void dm_record_parts(struct dm_device *disk);
void dm_records_flush(struct dm_world *w);

/* D is freed. */
void dm_record_forget(struct dm_device *d);

/* The same for a change that is undone. */
int dm_record_commit_undo(struct dm_world *w, struct err *e);

/* The frames so far may not survive a power cut yet: THEN is posted when they do. False: there is nothing to wait for. */
bool dm_record_sync(struct dm_world *w, struct journal_wait *then);

#endif
