/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target is one line of a table; its type is the const vtable of its kind.
 *
 * To add one: write targets/NAME.c with a const struct dm_type and add its line
 * to targets/targets.list. Splitting, flush fan-out, FUA, draining, counting and
 * errors are the core's. map() may run on several io threads at once, so what it
 * reads must not change after ctr(), or the type says how it guards it.
 */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/table/args.h"
#include "core/path/req.h"

struct dm_ask;
struct dm_target;
struct dm_io;
struct dm_step;
struct dm_table;

/* What map() says. Anything negative is an errno that ends the request. */
enum dm_verdict {
	DM_DONE,	/* answered: the core ends it with success */
	DM_REMAPPED,	/* dm_remap() has set store and sector: the core sends it there */
	DM_HELD,	/* the target keeps it; it goes on with dm_go_on() or when its children have ended (held.h, child.h) */
	DM_PART,	/* the target has set r->count to the first sectors that it would take, and done nothing else: the core cuts
			 * there and asks again, for each part. Not for range parts */
	DM_PUT_BACK,	/* to the gate of its device, as if it had never come: mapped anew by whatever table the device has then.
			 * R's sector, count and data are as map() found them */
};

/* What a table may have of a type, and what may replace it; as on Linux. Checked when a table is loaded (build_flags.c). */
#define DM_TARGET_SINGLETON (1u << 0)		/* the only line of its table */
#define DM_TARGET_ALWAYS_WRITEABLE (1u << 1)	/* never in a read-only table */
#define DM_TARGET_IMMUTABLE (1u << 2)		/* all lines of a table are of it, or none; while such a table is active, the next
						 * one loaded must be of it, too, or have a WILDCARD line */
#define DM_TARGET_WILDCARD (1u << 3)		/* stands in for anything: error */

struct dm_type {
	const char *name;
	const char *usage;	/* the words behind the name, "" if none */
	const char *about;	/* one sentence for help and man page */
	unsigned version[3];	/* Linux's, for dmsetup targets */
	unsigned flags;		/* DM_TARGET_* */
	size_t size;		/* bytes of the private part, zeroed; it lives as long as the table */

	/*
	 * Reads the words: 0, or what dm_args_end() says. It runs more than once for a line (build.h), and the first time with
	 * stand-ins for the stores, which it may keep but not look into. So it changes nothing outside the table's memory but
	 * what dtr() undoes, and takes threads and shared objects only if dm_args_may_reserve().
	 */
	int (*ctr)(struct dm_target *t, struct dm_args *a);
	/*
	 * Frees what ctr() took from elsewhere; NULL if nothing. Also after a failed ctr(). It never waits: what takes time is
	 * postsuspend()'s and retire()'s, which come first wherever preresume() came.
	 */
	void (*dtr)(struct dm_target *t);
	/*
	 * Where does R go? R->sector counts from the line's start, and R lies inside the line and (but for
	 * range parts) inside one chunk. FLUSH never comes here.
	 */
	int (*map)(const struct dm_target *t, struct dm_req *r);
	/*
	 * The same for a FLUSH, which has no sector: what was reported written before it must be durable when it ends, so a
	 * type that has something to commit does it here. NULL: it goes to each of the line's stores. Where it goes on to a
	 * store that R has flushed already it is not sent again; what the type wrote there itself meanwhile needs a flush of
	 * its own (child.h). With DM_OWN it is no client's.
	 */
	int (*flush)(const struct dm_target *t, struct dm_req *r);
	/* A child of R is over (child.h). NULL: R fails as it did. */
	int (*child)(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
	/*
	 * Around transitions: see step.h. Each is optional, runs on the control thread, may take its time, and ends with
	 * dm_step_done(). What one did the opposite one undoes, also when only the next line's refused.
	 */
	void (*preresume)(struct dm_target *t, struct dm_step *s);	/* read metadata, check; may refuse */
	void (*resume)(struct dm_target *t, struct dm_step *s);		/* start background work */
	void (*presuspend)(struct dm_target *t, struct dm_step *s);	/* stop it; let what is held go on, or put it back; requests still come */
	void (*postsuspend)(struct dm_target *t, struct dm_step *s);	/* drained and flushed: commit */
	/*
	 * The table will be freed, and no request comes any more: the last I/O of a line that has ever been resumed, also if
	 * it was suspended before. It ends with dm_step_done(), and its failure is only logged.
	 */
	void (*retire)(struct dm_target *t, struct dm_step *s);
	/* The words as `table` prints them, to be loaded again; NULL if none. */
	void (*table)(const struct dm_target *t, struct text *out);
	/* What `status` prints; NULL if nothing. */
	void (*status)(const struct dm_target *t, struct text *out);
	/*
	 * What `measure` prints behind the target's name and version, as Linux would have it logged: ",KEY=VALUE..." and a
	 * semicolon. NULL: nothing at all.
	 */
	void (*measure)(const struct dm_target *t, struct text *out);
	/* How the line likes to be asked (io_min, io_opt), if not as what it stands on does; NULL: as that. */
	void (*hints)(const struct dm_target *t, struct dm_limits *l);
	/*
	 * A request that map() had sent to END (dm_store_end() of its store) came back with an error; true: that is an
	 * event of the device. Not asked for a flush, nor for what END cannot do, nor for reading ahead. On io threads,
	 * several at once.
	 */
	bool (*failed)(const struct dm_target *t, const void *end);
	/*
	 * A message, split into words (ask.h): 0, -errno with a sentence, or DM_HELD: dm_ask_done() comes later. NULL: takes none.
	 * Control thread.
	 */
	int (*message)(struct dm_target *t, struct dm_ask *a);
	/*
	 * Brings what status() will print up to date, where that takes time: thin commits. The same answers. Not for a device
	 * that is suspended, an inactive table, or where the caller said noflush. NULL: status() always can.
	 */
	int (*prepare_status)(struct dm_target *t, struct dm_ask *a);
};

#define DM_SMALL 16

/* One cache line, with a small private part inside it: a request touches no more of a large table. */
struct dm_target {
	const struct dm_type *type;
	void *priv;
	struct dm_table *table;	/* that it is a line of */
	uint64_t start, len;	/* sectors of the device */
	uint32_t chunk;		/* sectors: no request crosses a multiple of this; 0: no limit */
	uint32_t parts;		/* DISCARD and ZEROES come unsplit, once for each part 0..parts-1; 0: as others */
	alignas(8) unsigned char small[DM_SMALL];	/* where priv points if it fits */
};

/* ctr() may not keep pointers into the private part of a type this small: it moves until the table is whole. */
static inline bool dm_target_is_small(const struct dm_target *t)
{
	return t->type->size && t->type->size <= DM_SMALL;
}

/* Sends R to SECTOR of AT (counted from AT's offset). Returns DM_REMAPPED. */
static inline int dm_remap(struct dm_req *r, const struct dm_at *at, uint64_t sector)
{
	r->store = at->store;
	r->sector = at->offset + sector;
	return DM_REMAPPED;
}

/* Adds "<device> <offset>" as `table` prints it. */
void dm_text_at(struct text *out, const struct dm_at *at);

/* Adds the store's name as `status` and `deps` print it: MAJOR:MINOR of a device, else its path. */
void dm_text_store(struct text *out, const struct dm_store *s);

#endif
