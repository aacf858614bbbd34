/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The volatile write cache of a disk: of each unit that is not clean the versions (survive.h) since the durable one, which the
 * disk below has. A version has the sectors that its request wrote; the rest of the unit is as in the version before. It does
 * no I/O: what is in the spill file, and what the disk below has, it only names. Whoever calls has the disk's lock.
 */
#ifndef POWERCUT_CACHE_H
#define POWERCUT_CACHE_H

#include "base/list.h"
#include "targets/powercut/memory.h"
#include "targets/powercut/survive.h"
#include "targets/powercut/tree.h"

enum where { IN_BASE, IN_ZEROS, IN_MEMORY, IN_SPILL };

/* A request that is not durable: none of its versions is that of a unit, nor older than it. */
struct written {
	struct list node;	/* in the cache's, in order */
	struct survive_req is;
	uint32_t versions;
};

struct version {
	struct version *older;
	struct written *by;
	union {
		uint8_t *data;
		uint64_t place;	/* in the spill file, in units */
	};
	uint32_t first, end;	/* sectors of the unit that it has */
	uint8_t where;
};

struct cache {
	struct memory memory;
	struct tree tree;
	struct list written;
	uint32_t unit;		/* sectors */
	uint64_t next;		/* the number of the next request; the first one's is 1 */
	uint64_t requests, sectors;	/* that are not durable */
};

/* UNIT sectors, BYTES of memory. 0 or -errno and a sentence. */
int cache_new(struct cache *c, uint32_t unit, size_t bytes, struct err *e);
void cache_end(struct cache *c);

/*
 * A request comes in two steps. cache_take() finds room for the data of COUNT sectors from SECTOR: a chain of versions, one for
 * each unit, all in memory or all in the spill file, which the caller fills without the lock. cache_link() makes them what
 * the disk shows; *NUMBER is that of the request. Without a chain it is a request for zeros. 0, or -ENOSPC and nothing has
 * changed: there is no room for records.
 */
int cache_take(struct cache *c, uint64_t sector, uint64_t count, struct version **chain);
void cache_give(struct cache *c, struct version *chain);
int cache_link(struct cache *c, uint64_t sector, uint64_t count, struct version *chain, uint64_t *number);

/* Which version of each unit is meant. */
struct view {
	enum { VIEW_NEWEST, VIEW_UP_TO, VIEW_SURVIVES } how;
	uint64_t number;		/* UP_TO: the newest of this request or an older one */
	struct survive_draw draw;	/* SURVIVES */
};

/* Sectors that lie together. */
struct piece {
	uint64_t sector, count;
	enum where where;
	const uint8_t *data;		/* IN_MEMORY */
	uint64_t at;			/* IN_SPILL: sector of the spill file */
};

/* What VIEW has at SECTOR, which is before END. */
struct piece cache_piece(struct cache *c, const struct view *view, uint64_t sector, uint64_t end);

/* The choice for all that is open now. */
void cache_draw(const struct cache *c, struct survive_draw *d, enum survive_mode mode, uint64_t seed);

/*
 * What VIEW_UP_TO shows of the units from *UNIT to END is durable: those versions, and older ones, go. It stops after MOST
 * nodes: false, and *UNIT is where to go on.
 */
bool cache_drop(struct cache *c, uint64_t *unit, uint64_t end, uint64_t number, unsigned most);

#endif
