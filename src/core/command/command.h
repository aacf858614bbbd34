/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control command and its reply, independent of any protocol. All commands go through dm_do(): codecs decode to a
 * dm_cmd and encode its reply.
 *
 * Errors are negative errno values with these meanings; a codec with other
 * numbers converts them:
 *   -ENXIO   no such device          -EEXIST  name or uuid is taken
 *   -EBUSY   device is in use        -EINVAL  bad table, name, argument
 *   -ENOPKG  unknown target type     -ENOENT  a component is missing (-ENXIO by its number, -ENOTBLK no device)
 *   -EINTR   cancelled               others: as returned by the system
 */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "core/device/settle.h"
#include "core/path/stats.h"
#include "core/table/closing.h"

struct dm_device;
struct dm_loop;
struct dm_place;
struct dm_table;
struct dm_world;

enum dm_verb {
#define VERB(id, ...) DM_DO_##id,
#include "core/command/verbs.list"
	DM_VERBS
};

/* What a verb needs, for verbs.list. */
#define DM_NEEDS_TELLING (1u << 0)	/* its reply describes a device */
#define DM_NEEDS_FOUND   (1u << 1)	/* which must exist */
#define DM_NEEDS_DEVICE  (DM_NEEDS_TELLING | DM_NEEDS_FOUND)
#define DM_NEEDS_SETTLED (1u << 2)	/* no transition of the device is running */
#define DM_NEEDS_CLOSES  (1u << 3)	/* open counts or claims matter: fronts have to catch up first */
#define DM_NEEDS_GROUP   (1u << 4)	/* with names: these are changed as one (move_group.c) */
#define DM_NEEDS_FREED   (1u << 5)	/* its answer waits until the files that it has let go are closed */

/* Flags of a command. */
#define DM_WITH_READONLY (1u << 0)
#define DM_WITH_NOFLUSH  (1u << 1)
#define DM_WITH_INACTIVE (1u << 2)
#define DM_WITH_FORCE    (1u << 3)
#define DM_WITH_DEFERRED (1u << 4)
#define DM_WITH_RESET    (1u << 5)
#define DM_WITH_SIZES    (1u << 6)	/* table text may contain sizes such as 64K and 10M */
#define DM_WITH_SECRET   (1u << 7)	/* the table contains keys: no copy of it may be left in memory */
#define DM_WITH_LINUX    (1u << 8)	/* handled as on Linux: linux.h */
#define DM_WITH_KERNEL_NAMES (1u << 9)	/* names and uuids are in the kernel's form (mangle.h), in the command and in its reply */
#define DM_WITH_HEX      (1u << 10)	/* those in the command are to be mangled even if they look mangled */
#define DM_WITH_DEPS     (1u << 11)
#define DM_WITH_RECORDED (1u << 13)	/* the table was loaded before, and is brought back: nobody is warned */
#define DM_WITH_NOLOCKFS (1u << 12)	/* SUSPEND, RESUME that swaps: its file systems are not frozen */

/* For HDIO_GETGEO; it has no other meaning. */
struct dm_geometry {
	uint64_t cylinders, heads, sectors, start;
};

/* The read-ahead to be set, in sectors. */
struct dm_read_ahead {
	enum { DM_AHEAD_ALONE, DM_AHEAD_IS, DM_AHEAD_LEAST } how;	/* unchanged; exactly; at least */
	uint32_t sectors;
};

struct dm_line {
	uint64_t start, len;
	const char *type, *params;	/* params may be "" */
};

/* The state of a device at the end of the command; valid if `present`. */
struct dm_info {
	bool present;
	char name[128], uuid[129], kernel_name[128], kernel_uuid[129];
	uint32_t major, minor;
	bool suspended, readonly, deferred, live, inactive;
	uint32_t open_count, event_nr, target_count;	/* target_count: of the requested slot */
	uint64_t sectors, active_since, last_event;	/* these two in seconds since 1970; 0: never */
	bool has_read_ahead;		/* it has had a table at some time */
	uint32_t read_ahead;		/* sectors */
};

struct dm_row {
	uint64_t start, len;
	const char *type, *params;
};

struct dm_dep {
	const char *name;	/* path, or name of the mapped device */
	uint32_t major, minor;	/* 0:0 of a regular file or memory */
};

struct dm_type_row {
	const char *name, *usage, *about;
	const unsigned *version;	/* 3 numbers; NULL for a store */
};

/* Where programs find the devices as on Linux: the namespaces of this process. */
struct dm_session {
	int pid;
	char mount_ns[64];		/* as returned by readlink of /proc/PID/ns/mnt */
	uint32_t major;			/* of the mapped devices */
	bool user_ns;			/* it has a user namespace of its own: its root has no rights outside */
};

struct dm_reply {
	struct err err;
	struct text warnings;		/* one sentence per line */
	struct dm_info info;		/* of the command's device */
	struct arena arena;		/* everything below */
	struct dm_info *names;
	struct dm_row *rows;
	struct dm_dep *deps;
	size_t *n_deps;			/* NAMES with DEPS: for each name, how many of `deps` are its; else NULL */
	struct dm_type_row *types;
	struct dm_stats *stats;
	size_t n;			/* length of the array that the verb fills */
	struct dm_session session;	/* SESSION */
	struct text said;		/* the memory of `answer` for a MESSAGE */
	const char *answer;		/* MESSAGE, EXPORT, MOUNT, CHECK; or NULL */
};

struct dm_cmd {
	enum dm_verb verb;
	uint32_t flags;
	/* SUSPEND, RESUME: several devices instead of one, changed as one, all or none -> names. CUT, RESTORE, RELOAD: these. */
	const char *const *names;
	size_t n_names;
	/*
	 * The device: by minor if has_minor, else by name, else by uuid (NULL and "" mean none). CREATE: of the new
	 * device (with a fixed minor, if has_minor).
	 */
	const char *name, *uuid;
	bool has_minor;
	uint32_t minor;
	uint32_t major;			/* for the minor; 0: that of mapped devices */
	struct dm_geometry geometry;
	struct dm_read_ahead read_ahead;	/* CREATE with a table, RESUME */
	const char *new_name, *new_uuid;
	const struct dm_line *lines;	/* a table as records ... */
	size_t n_lines;
	char *const *texts;		/* RELOAD of several devices: as text, one for each of the names */
	char *text;			/* ... or as text; NULL if neither */
	const char *cwd;		/* start of relative paths in the table */
	const char *was;		/* DM_WITH_RECORDED: what is brought back, with the lines of its stores; or NULL */
	int caller;			/* the thread that asks: other processes may see other files. 0: nobody knows */
	uint64_t sector;
	const char *message;
	uint32_t event_nr;
	const char *directory;		/* absolute, or NULL */
	const struct dm_loop *loop;	/* DISK: of a loop device (core/device/loopdev.h), which is made if it has_minor; or NULL */
	/*
	 * From a session: resolves a path to the device that it means there, or NULL; PLACE is where it leads. Called
	 * for a table's words before they are taken as files of the daemon. NULL elsewhere.
	 */
	struct dm_device *(*resolve)(struct dm_cmd *c, const struct dm_place *place);
	/*
	 * Can the reply carry an answer of N bytes, even if there is no memory later? Called before what the answer
	 * contains is reset. NULL: it can.
	 */
	bool (*room)(struct dm_cmd *c, size_t n);
	/* TEXT was read, and is not needed any more: it may be freed, before the table is recorded. NULL: it stays. */
	void (*text_read)(struct dm_cmd *c);
	bool in_order;			/* it arrived after all closes that it could have to know about */
	const char *id;			/* the caller's name for this command, should he have to ask twice (state/done.h); or NULL */
	const char *mount_ns;		/* the caller's mount namespace, as in /proc/self/ns/mnt; NULL: the daemon's */

	void (*done)(struct dm_cmd *c);	/* called once, from the control thread's loop, never from within dm_do() */
	void *owner;			/* for the caller */
	struct dm_reply reply;		/* valid in done(); freed by the caller with dm_reply_free() */

	/* The world's, from dm_do() to done(). */
	struct list node;
	struct dm_world *world;
	struct dm_device *device;
	void (*start)(struct dm_cmd *c);
	struct loop_msg caught_up;
	bool catching_up, cancelled;
	bool settled;			/* dm_settle() has had it wait */
	struct dm_settle settle;
	uint32_t own_flags;	/* while it brings a table back (state/restore.h) */
	bool partly;		/* what it has recorded so far is not all that it does */
	bool recorded;		/* something that it has changed was recorded */
	unsigned caught;	/* fronts that have caught up, or need not */
	bool finished;
	bool needs_freed, has_failed;	/* DM_NEEDS_FREED; while it waits for that: it has an error anyway */
	struct dm_closing_wait closed;	/* what it has closed since it began */
	struct dm_table *table;		/* that was built, and is about to be put into a slot */
	struct dm_table **tables;	/* or several, of so many of the names; or what was in the slots before */
	size_t n_tables;
	bool installed;			/* TABLES is what was in the slots before */
	bool stepping, step_again;	/* a RELOAD of several is in its loop, and is to take one more step */
	void *pending;		/* what it waits for (dm_pending()), and how that is given up */
	void (*give_up)(struct dm_cmd *c);
};

/* Carries C out. C and everything that it points to must stay valid until done(). */
void dm_do(struct dm_world *w, struct dm_cmd *c);

/*
 * Cancels a command: if it still waits, done() is called with -EINTR (after undoing what can be undone); else as usual.
 */
void dm_cancel(struct dm_cmd *c);

/* For callers with nothing else to do: runs the world's loop until done(). Returns reply.err.code. */
int dm_do_now(struct dm_world *w, struct dm_cmd *c);

void dm_reply_free(struct dm_reply *r);

#endif
