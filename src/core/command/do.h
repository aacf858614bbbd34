/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carrying out commands: each verb has a handler in one of the files do_*.c. A handler ends its command once with
 * dm_finish() or dm_fail(), at once or later. Control thread.
 */
#ifndef CORE_DO_H
#define CORE_DO_H

#include "core/command/command.h"
#include "core/device/device.h"
#include "core/world.h"

/*
 * Fills in reply.info from C's device, if it still has one. C->done() is called from the loop and not from here, so
 * that the world does not change while a handler runs.
 */
void dm_finish(struct dm_cmd *c);
void dm_run_finished(struct loop_work *work);	/* run for the world's `finishing` */
void dm_fail(struct dm_cmd *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Runs C's handler again, after it waited in a device's queue. */
static inline void dm_start(struct dm_cmd *c)
{
	c->start(c);
}

/* D is moving: C, which is done with for now, begins again after that. */
bool dm_wait_until_moved(struct dm_cmd *c, struct dm_device *d);

/* Adds the I/O errors of D to C's warnings (fault.h). */
void dm_do_faults(struct dm_cmd *c, struct dm_device *d);

void dm_info_fill(struct dm_info *i, const struct dm_device *d, uint32_t flags);

/*
 * C is about to fail because D is open. True: a program that has closed D may not be known yet, and C begins once more when it is;
 * it was done with. False: it is open, and that is known. Once for each command.
 */
bool dm_settle(struct dm_cmd *c, const struct dm_device *d);

/*
 * C takes time: WORK is what it does, until dm_pending_done(). Meanwhile it may be given up, even more than once;
 * then the reason is in its reply, and GIVE_UP makes it end soon, but not at once.
 */
void dm_pending(struct dm_cmd *c, void *work, void (*give_up)(struct dm_cmd *c));
void dm_pending_done(struct dm_cmd *c);
/* Gives it up for this reason, unless there is one already. */
void dm_pending_cancel(struct dm_cmd *c, int code, const char *why);
/* D is being removed: commands that build a table for it, or ask its targets for something, are given up. */
void dm_pending_device_gone(struct dm_device *d);
/* Gives up all of W's, because the world ends. */
void dm_pending_cancel_all(struct dm_world *w);

bool dm_cmd_has_room(struct dm_cmd *c, size_t n);	/* for an answer of N bytes: see dm_cmd.room */
bool dm_cmd_has_table(const struct dm_cmd *c);

/* OLD, which may be NULL, was in a slot: frees it, then ends C. */
void dm_slot_clear(struct dm_cmd *c, struct dm_table *old);

/* How C writes names and uuids. */
enum dm_mangle dm_mangling(const struct dm_cmd *c);

/* The slot that C asks about, active or inactive; may be NULL. */
const struct dm_table *dm_cmd_slot(const struct dm_cmd *c, const struct dm_device *d);

/* The handlers in verbs.list. D is NULL for verbs that need no device. */
#define VERB(id, name, handler, ...) void dm_do_##handler(struct dm_cmd *c, struct dm_device *d);
#include "core/command/verbs.list"

void dm_do_loop(struct dm_cmd *c, struct dm_store *s);	/* the second half of disk with a loop: S is its file */
void dm_shutdown_flush(struct dm_cmd *c);		/* the second half of shutdown, after dm_front's shutdown() */

/* What the slot that C asks about uses; TO has room for dm_deps_count() of them. */
size_t dm_deps_count(const struct dm_cmd *c, const struct dm_device *d);
size_t dm_deps_fill(struct dm_cmd *c, const struct dm_device *d, struct dm_dep *to);

#endif
