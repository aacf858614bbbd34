/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control command and its reply, free of any wire protocol. dm_do() is the
 * only way in: codecs decode to a dm_cmd and encode from its reply.
 *
 * Failures inside are negative errnos with these meanings; a codec that knows
 * other numbers maps them:
 *   -ENXIO   no such device          -EEXIST  name or uuid is taken
 *   -EBUSY   device is in use        -EINVAL  bad table, name, argument
 *   -ENOPKG  unknown target type     -ENOENT  a component is missing (-ENXIO by its number, -ENOTBLK no device)
 *   -EINTR   cancelled               others: what the system said
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
#include "core/path/stats.h"

struct dm_device;
struct dm_place;
struct dm_table;
struct dm_world;

enum dm_verb {
#define VERB(id, ...) DM_DO_##id,
#include "core/command/verbs.list"
	DM_VERBS
};

/* What a verb needs, in verbs.list. */
#define DM_NEEDS_TELLING (1u << 0)	/* its reply is about a device */
#define DM_NEEDS_FOUND   (1u << 1)	/* which must exist */
#define DM_NEEDS_DEVICE  (DM_NEEDS_TELLING | DM_NEEDS_FOUND)
#define DM_NEEDS_STILL   (1u << 2)	/* no transition of the device is under way */
#define DM_NEEDS_CLOSES  (1u << 3)	/* open counts or claims matter: fronts catch up first */

/* Flags of a command. */
#define DM_WITH_READONLY (1u << 0)
#define DM_WITH_NOFLUSH  (1u << 1)
#define DM_WITH_INACTIVE (1u << 2)
#define DM_WITH_FORCE    (1u << 3)
#define DM_WITH_DEFERRED (1u << 4)
#define DM_WITH_RESET    (1u << 5)
#define DM_WITH_SIZES    (1u << 6)	/* table text may say 64K and 10M */
#define DM_WITH_SECRET   (1u << 7)	/* the table has keys in it: no copy of it stays behind */
#define DM_WITH_LINUX    (1u << 8)	/* what Linux wants differently: linux.h */
#define DM_WITH_KERNEL_NAMES (1u << 9)	/* names and uuids, said and told, are those that the kernel has (mangle.h) */
#define DM_WITH_HEX      (1u << 10)	/* those said are mangled without asking whether they are already */
#define DM_WITH_DEPS     (1u << 11)
#define DM_WITH_NOLOCKFS (1u << 12)	/* SUSPEND, RESUME that swaps: file systems on it are not frozen */

/* What HDIO_GETGEO tells; it means nothing else. */
struct dm_geometry {
	uint64_t cylinders, heads, sectors, start;
};

/* What programs read ahead is to be, in sectors. */
struct dm_read_ahead {
	enum { DM_AHEAD_ALONE, DM_AHEAD_IS, DM_AHEAD_LEAST } how;	/* left alone; exactly; no less than */
	uint32_t sectors;
};

struct dm_line {
	uint64_t start, len;
	const char *type, *params;	/* params may be "" */
};

/* What is known of a device, as of the end of the command; valid if `present`. */
struct dm_info {
	bool present;
	char name[128], uuid[129], kernel_name[128], kernel_uuid[129];
	uint32_t major, minor;
	bool suspended, readonly, deferred, live, inactive;
	uint32_t open_count, event_nr, target_count;	/* target_count: of the slot asked for */
	uint64_t sectors;
	bool has_read_ahead;		/* it has had a table */
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

/* Where programs find the devices as Linux shows them: the namespaces of this process. */
struct dm_session {
	int pid;
	char mount_ns[64];		/* as /proc/PID/ns/mnt tells it */
	uint32_t major;			/* of the mapped devices */
	bool user_ns;			/* it has a user namespace of its own: root there is nobody special outside */
};

struct dm_reply {
	struct err err;
	struct text warnings;		/* one sentence a line */
	struct dm_info info;		/* of the device the command was about */
	struct arena arena;		/* everything below */
	struct dm_info *names;
	struct dm_row *rows;
	struct dm_dep *deps;
	size_t *n_deps;			/* NAMES with DEPS: of each name, one after the other; else NULL */
	struct dm_type_row *types;
	struct dm_stats *stats;
	size_t n;			/* of whichever array the verb fills */
	struct dm_session session;	/* SESSION */
	struct text said;		/* what `answer` of a MESSAGE is in */
	const char *answer;		/* MESSAGE, EXPORT, MOUNT, CHECK; or NULL */
};

struct dm_cmd {
	enum dm_verb verb;
	uint32_t flags;
	/* SUSPEND, RESUME: these instead, moved as one: all or none -> names. */
	const char *const *names;
	size_t n_names;
	/*
	 * The device: by minor if has_minor, else by name, else by uuid (NULL and "" name nothing).
	 * CREATE: the new one's (minor: pinned, if has_minor).
	 */
	const char *name, *uuid;
	bool has_minor;
	uint32_t minor;
	uint32_t major;			/* that goes with the minor; 0: the mapped devices' */
	struct dm_geometry geometry;
	struct dm_read_ahead read_ahead;	/* CREATE with a table, RESUME */
	const char *new_name, *new_uuid;
	const struct dm_line *lines;	/* a table as records ... */
	size_t n_lines;
	char *text;			/* ... or as text; NULL if neither */
	const char *cwd;		/* where relative paths in the table start */
	uint64_t sector;
	const char *message;
	uint32_t event_nr;
	const char *directory;		/* absolute, or NULL */
	/*
	 * Of a session: the device that a path means there, or NULL; PLACE says where it leads. Asked for a table's words
	 * before they are taken for files of the daemon's. NULL elsewhere.
	 */
	struct dm_device *(*resolve)(struct dm_cmd *c, const struct dm_place *place);
	/*
	 * Can the reply carry an answer of N bytes, however little memory there is then? Asked before what it tells is done
	 * away with. NULL: it can.
	 */
	bool (*room)(struct dm_cmd *c, size_t n);
	bool in_order;			/* it came behind all closes that it could have to know of */
	const char *mount_ns;		/* the mount namespace it is meant in, as /proc/self/ns/mnt tells it; NULL: the daemon's */

	void (*done)(struct dm_cmd *c);	/* once, from the control thread's loop, never inside dm_do() */
	void *owner;			/* the caller's */
	struct dm_reply reply;		/* valid in done(); freed by the caller with dm_reply_free() */

	/* The world's, from dm_do() to done(). */
	struct list node;
	struct dm_world *world;
	struct dm_device *device;
	void (*start)(struct dm_cmd *c);
	struct loop_msg caught_up;
	bool catching_up, cancelled;
	unsigned caught;	/* fronts that have caught up, or need not */
	bool finished;
	struct dm_table *table;		/* that was built, and waits to be put into a slot */
	void *under_way;		/* what takes time (dm_under_way()), and how it is given up */
	void (*give_up)(struct dm_cmd *c);
};

/* Carries C out. C and all it points to stay until done(). */
void dm_do(struct dm_world *w, struct dm_cmd *c);

/* Gives up a command: if it still waits, done() comes with -EINTR (what can be is taken back first); else as it would. */
void dm_cancel(struct dm_cmd *c);

/* For callers who have nothing else to do: turns the world's loop until done. Returns reply.err.code. */
int dm_do_now(struct dm_world *w, struct dm_cmd *c);

void dm_reply_free(struct dm_reply *r);

#endif
