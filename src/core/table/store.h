/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store: where sectors are kept. It knows nothing about tables. Opened and closed on the control thread; submit() is
 * called on any io thread.
 *
 * To add one: write stores/NAME.c with a const struct dm_store_type and add its line to stores/stores.list.
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/text.h"
#include "core/table/limits.h"
#include "core/path/req.h"

struct dm_closing;
struct dm_cmd;
struct dm_device;
struct dm_io;
struct dm_opening;
struct dm_place;
struct dm_world;
struct dm_store;

/* What a table line asks for. */
struct dm_store_spec {
	struct dm_world *world;
	const char *word;	/* the word in the table, unquoted */
	const char *cwd;	/* start of relative paths; NULL: they are refused */
	int caller;		/* the thread that gave it; 0: nobody knows */
	bool readonly;
	bool over_readonly;	/* a device that is read-only will do all the same: writes to it fail */
	bool follow;		/* where a path leads is needed as well: there is a cmd->resolve */
	struct dm_cmd *cmd;	/* the table's command, or NULL */
	const struct dm_place *place;	/* what the file system says about the word (place.h) */
	struct err *err;
};

/* Sectors: partitioning tools reserve less for a label. A mapping from here on destroys none. */
#define DM_LABEL_REACH 2048u

/* A disk label or partition table at the start of a store: what the label guard warns of. */
struct dm_label {
	char kind[16];		/* "GPT", "MBR", "BSD disklabel" */
	uint64_t safe;		/* the first sector that a mapping may use without touching it */
};

/* A partition of a store, from its partition table. */
struct dm_part {
	uint32_t number;		/* from 1 */
	uint64_t start, sectors;
};

#define DM_PARTS_MAX 255u		/* as on Linux */
struct dm_parts {
	struct dm_part at[DM_PARTS_MAX];
	size_t n;
};

struct dm_store_type {
	const char *name;	/* the prefix in NAME[,option...]:REST */
	const char *usage;	/* of the whole word, for the help and man pages */
	const char *about;	/* one sentence */

	/*
	 * Is the word for this type? Called in the order of stores.list for words without a prefix. Control thread:
	 * what the file system says is in W->place. NULL for a type that requires its prefix.
	 */
	bool (*claims)(const struct dm_store_spec *w);

	/*
	 * 0 and a store with one more reference (an existing one if it is the same place, opened the same way), or
	 * -errno and a sentence. W->word is what follows the type's name (",option:REST" or ":REST", see
	 * dm_store_option()), or the whole word if the type claimed it. Control thread: it must not block. A type that
	 * may block has start() instead.
	 */
	int (*open)(struct dm_store_spec *w, struct dm_store **out);
	/* With open(): a device that a program has to itself, as far as is known, so that W cannot be opened; or NULL. May be NULL. */
	const struct dm_device *(*taken)(const struct dm_store_spec *w);
	/*
	 * Opens what O asks for, in steps: opening.h. look() does what can be done on a helper thread before it is
	 * certain that the word is for this type; its errors are only reported then. forget() frees O->own, on any
	 * thread.
	 */
	void (*look)(struct dm_opening *o);
	void (*start)(struct dm_opening *o);
	void (*forget)(struct dm_opening *o);
	void (*close)(struct dm_store *s);	/* the last reference was dropped: frees S */
	/*
	 * Closing S may block: shut() does that part on a helper thread, then comes close() (closing.h). Where S has room for it;
	 * NULL: S closes at once. For a type that has only close(), both are NULL.
	 */
	struct dm_closing *(*closing)(struct dm_store *s);
	void (*shut)(struct dm_store *s);

	/*
	 * Starts R (op, flags, sector, count, data) and ends it once with dm_done(), at once or later on the same io
	 * thread. The range is inside the store. NULL for a mapped device: the core handles that.
	 */
	void (*submit)(struct dm_store *s, struct dm_io *io, struct dm_req *r);

	/* What `table` prints for it, unless MAJOR:MINOR or S->name: must open the same place again. */
	void (*word)(const struct dm_store *s, struct text *out);

	/*
	 * Adds what tells this place from another one at the same word, as words of KEY=VALUE, each with a blank behind it. A later
	 * daemon that finds something else there takes it for lost. NULL: the word is enough. "seq=NUMBER:BOOT ", the last of them,
	 * counts only in the same boot of the machine.
	 */
	void (*known_by)(const struct dm_store *s, struct text *out);
	const char *other;	/* "'WORD' ...": what is to be said then */

	/*
	 * A flush of it has failed, in the days of an earlier daemon: every flush fails with ERR, until the store is opened anew.
	 * NULL: a failure is not remembered.
	 */
	void (*fail_flushes)(struct dm_store *s, int err);

	/*
	 * Partitions. parts_fd(): a descriptor of its own, or -errno; control thread. parts() reads them from it: 0 or -errno; on a
	 * helper thread, when S may be gone. BLOCK: bytes of a block. NULL: it never has any.
	 */
	int (*parts_fd)(const struct dm_store *s);
	int (*parts)(int fd, uint32_t block, struct dm_parts *out);
};

/* The head of every store; the type embeds it in its own struct. */
struct dm_store {
	const struct dm_store_type *type;
	struct dm_world *world;
	struct list node;	/* in the world's stores */
	struct list hashed;	/* in its store_index */
	uint64_t hash;
	unsigned refs;		/* control thread */
	uint64_t walk;		/* the last walk of the control thread that came by (flush.c) ... */
	uint64_t *walks;	/* ... and for each io thread its last flush (submit.c) */
	char *name;		/* the word that opens it again, unquoted; freed by dm_store_put() */
	bool readonly;
	_Atomic uint64_t sectors;	/* when it was opened last; any thread */
	struct dm_limits limits;
	int lost;		/* a flush has failed with that, and it is recorded (state/record_lost.h) */
	uint32_t major, minor;	/* of a device; otherwise 0:0 */
	struct dm_device *device;	/* if it is another device of the same world */
};

/* A walk visits each store once, however many ways lead to it. LAST is the store's mark for this kind of walk. */
static inline bool dm_store_first_visit(uint64_t *last, uint64_t walk)
{
	bool first = *last != walk;

	*last = walk;
	return first;
}

/* What S leads to: the device, or itself. */
static inline const void *dm_store_end(const struct dm_store *s)
{
	return s->device ? (const void *)s->device : s;
}

/* The type whose "NAME:" or "NAME,option" W's word begins with, or NULL. *REST is what follows the name. */
const struct dm_store_type *dm_store_prefix(const struct dm_store_spec *w, const char **rest);

/*
 * Adds a newly opened store (with type, name, sectors, limits, ... filled in) to the world, with one reference. HASH
 * identifies the place: any number, but the same for the same place. 0, or -ENOMEM and it was not added.
 */
int dm_store_enter(struct dm_world *world, struct dm_store *s, uint64_t hash);

/* The store with this hash for which SAME says that KEY identifies it, or NULL. It may be of another type. */
struct dm_store *dm_store_find(struct dm_world *world, uint64_t hash,
			       bool (*same)(const struct dm_store *s, const void *key), const void *key);
void dm_store_ref(struct dm_store *s);
void dm_store_put(struct dm_store *s);

/*
 * Iterates over the options of ",opt,opt=value:rest": fills in NAME and VALUE ("" if none) from *AT, and moves that.
 * False if no option is left; *AT then points at rest. A word without options is only rest.
 */
bool dm_store_option(const char **at, char name[32], char value[64]);

#endif
