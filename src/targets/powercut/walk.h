/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request that is carried out piece by piece: what is in memory at once, what is on the disk below or in the spill file by
 * one child, which is sent again for each such piece. How far a request is, is in its own[1]. A child that ends while it is
 * being sent is only noted, and whoever sends it goes on: a long request does not become a deep stack.
 */
#ifndef POWERCUT_WALK_H
#define POWERCUT_WALK_H

#include "targets/powercut/power.h"

/* How a kind of request walks. H is the request, or the child that stands for it. */
struct walk {
	/* The piece at sector AT of R; no more than that many sectors were dealt with. 0, or the verdict on H: see walk_enter(). */
	int (*piece)(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h, uint64_t at, struct piece *x);
	/* A piece has come back. */
	void (*came)(struct power *p, const struct piece *x);
	/* All pieces are through: the verdict on R. H is held back or waits: DM_HELD. */
	int (*end)(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h);
	/* R fails. */
	void (*failed)(struct power *p, struct dm_req *r);
};

extern const struct walk power_reads, power_writes;

/* What map() returns for R, from its start. */
int walk_begin(const struct walk *w, struct power *p, const struct line *l, struct dm_req *r);
/* What child() returns. */
int walk_child(const struct walk *w, struct power *p, const struct line *l, struct dm_req *r, struct dm_req *c, int err);

/* Takes the lock: 0, and it is held. Else it is not, and that is the verdict on H: refused, or held back. */
int walk_enter(struct power *p, const struct line *l, struct dm_req *h);

#endif
