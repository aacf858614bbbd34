/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store: a place where sectors live. It knows nothing of tables. Opening and
 * closing happen on the control thread; submit() on any io thread.
 *
 * To add one: write stores/NAME.c with a const struct dm_store_type and add its
 * line to stores/stores.list.
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/text.h"
#include "core/table/limits.h"
#include "core/path/req.h"

struct dm_cmd;
struct dm_device;
struct dm_io;
struct dm_opening;
struct dm_place;
struct dm_world;
struct dm_store;

/* One wish for a store, as a table line words it. */
struct dm_store_wish {
	struct dm_world *world;
	const char *word;	/* what stands in the table, unquoted */
	const char *cwd;	/* where relative paths start; NULL: they are refused */
	bool readonly;
	bool follow;		/* where a path leads is asked, too: there is a cmd->resolve */
	struct dm_cmd *cmd;	/* that brings the table, or NULL */
	const struct dm_place *place;	/* what the file system says of the word (place.h) */
	struct err *err;
};

/* Sectors: what partitioners keep free for a label is less. Whoever maps from here on destroys none. */
#define DM_LABEL_REACH 2048u

/* A disk label or partition table at the start of a store: what the label guard warns of. */
struct dm_label {
	char kind[16];		/* "GPT", "MBR", "BSD disklabel" */
	uint64_t safe;		/* the first sector that a mapping may use without touching it */
};

/* One partition of a store, as its label has it. */
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
	const char *usage;	/* of the whole word, for help and man pages */
	const char *about;	/* one sentence */

	/*
	 * Is the word mine? Asked in the order of stores.list for words without a prefix. Control thread: what the file
	 * system says is in W->place. A type with a prefix only leaves it NULL.
	 */
	bool (*claims)(const struct dm_store_wish *w);

	/*
	 * 0 and a store with one more reference (an open one if it is the same place, opened the same
	 * way), or -errno and a sentence. W->word is what follows the type's name (",option:REST" or
	 * ":REST", see dm_wish_option()), or the whole word if the type was not named but claimed it. Control thread: it
	 * may not block. A type whose places may has start() instead.
	 */
	int (*open)(struct dm_store_wish *w, struct dm_store **out);
	/*
	 * Opens what O wishes, in steps: opening.h. look() is what can be asked on a helper thread before it is sure that the
	 * word is of this type; a failure is told then only. forget() frees O->own, on any thread.
	 */
	void (*look)(struct dm_opening *o);
	void (*start)(struct dm_opening *o);
	void (*forget)(struct dm_opening *o);
	void (*close)(struct dm_store *s);	/* the last reference is gone: frees S */

	/*
	 * Starts R (op, flags, sector, count, data) and ends it once with dm_done(), at once or later on
	 * the same io thread. The range lies inside the store. NULL for a mapped device: the core goes there.
	 */
	void (*submit)(struct dm_store *s, struct dm_io *io, struct dm_req *r);

	/* What `table` prints for it, if not MAJOR:MINOR or S->name: must open the same place again. */
	void (*word)(const struct dm_store *s, struct text *out);

	/* The partitions that are there: 0 or -errno. NULL: never has any. */
	int (*parts)(const struct dm_store *s, struct dm_parts *out);
};

/* The head of every store; the type embeds it in its own struct. */
struct dm_store {
	const struct dm_store_type *type;
	struct dm_world *world;
	struct list node;	/* in the world's stores */
	struct list hashed;	/* in its store_index */
	uint64_t hash;
	unsigned refs;		/* control thread */
	uint64_t walk;		/* the control thread's last walk that came by (flush.c) ... */
	uint64_t *walks;	/* ... and each io thread's last flush (submit.c) */
	char *name;		/* the word that opens it again, unquoted; freed by dm_store_put() */
	bool readonly;
	uint64_t sectors;	/* as of the opening */
	struct dm_limits limits;
	uint32_t major, minor;	/* of a device, else 0:0 */
	struct dm_device *device;	/* set if it is another device of the same world */
};

/* A walk visits each store once, however many ways lead to it. LAST is the store's mark for walks of that kind. */
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
const struct dm_store_type *dm_store_prefix(const struct dm_store_wish *w, const char **rest);

/*
 * Puts a freshly opened store (type, name, sectors, limits, ... filled) into the world with one reference. HASH says what
 * place it is: any number, but the same for the same place. 0, or -ENOMEM and it is not in the world.
 */
int dm_store_enter(struct dm_world *world, struct dm_store *s, uint64_t hash);

/* The store of that hash of which SAME says that it is what WISH means, or NULL. It may be of another type. */
struct dm_store *dm_store_find(struct dm_world *world, uint64_t hash,
			       bool (*same)(const struct dm_store *s, const void *wish), const void *wish);
void dm_store_ref(struct dm_store *s);
void dm_store_put(struct dm_store *s);

/*
 * Walks the options of ",opt,opt=value:rest": fills NAME and VALUE ("" if none) from *AT and moves it. False
 * when no option is left; *AT then points at rest. A word without options is all rest.
 */
bool dm_wish_option(const char **at, char name[32], char value[64]);

#endif
