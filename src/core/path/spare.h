/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that a request may need are promised before its line sees it, so that dm_children() does not fail for lack of
 * memory. They are promised from the io thread's stock, which grows. If it cannot, one request at a time for each table and
 * io thread has the table's spare ones, which were allocated with the table, and others wait in line for them. So every
 * table of a stack makes progress: whoever has its spare ones waits only for requests below. On the request's io thread.
 */
#ifndef CORE_SPARE_H
#define CORE_SPARE_H

#include "core/table/target.h"

struct dm_world;

/* Of one io thread. */
struct dm_spare {
	struct dm_req *free;		/* by dm_req.next: all N, or none */
	struct dm_req *holder;		/* the request that has them, or NULL */
	struct dm_req *first, **last;	/* those that wait, by dm_req.next */
	struct dm_req *reqs;		/* N */
};

struct dm_spares {
	unsigned n, n_io;
	struct dm_spare of[];
};

/* Spare requests for a table: N for each io thread. NULL: no memory. */
struct dm_spares *dm_spares_new(const struct dm_world *w, unsigned n);
void dm_spares_free(struct dm_spares *all);	/* NULL is harmless */

/* N children for R, which is to be mapped by T. False: R waits, and is mapped later. */
bool dm_spares_promise(const struct dm_target *t, struct dm_req *r, unsigned n);

/* R's line is done with it: what it still has been promised is free again. */
void dm_spares_release(struct dm_req *r);

/* How many children R, which T is to map or to flush, may have at a time. */
static inline unsigned dm_children_of(const struct dm_target *t, const struct dm_req *r)
{
	return r->op == DM_FLUSH ? t->type->flush_children : t->type->children;
}

#endif
