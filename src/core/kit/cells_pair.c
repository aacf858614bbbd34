/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cells for one owner, the lower chunk first: see cells.h. */
#include <errno.h>

#include "core/kit/cells.h"

static bool pair_is_one(const struct cell_pair *p)
{
	return p->low.chunk == p->high.chunk;
}

static void pair_got_high(struct cell *c, enum cell_verdict v)
{
	struct cell_pair *p = container(c, struct cell_pair, high);

	if (v != CELL_HELD)
		cell_give(p->all, &p->low);
	p->got(p, v);
}

static int pair_take_high(struct cell_pair *p)
{
	int r = pair_is_one(p) ? CELL_HELD : cell_take(p->all, &p->high);

	if (r == CELL_BACK)
		cell_give(p->all, &p->low);
	return r;
}

static void pair_got_low(struct cell *c, enum cell_verdict v)
{
	struct cell_pair *p = container(c, struct cell_pair, low);
	int r = v == CELL_HELD ? pair_take_high(p) : (int)v;

	if (r != -EINPROGRESS)
		p->got(p, (enum cell_verdict)r);
}

int cells_take_both(struct cells *all, struct cell_pair *p, uint64_t a, uint64_t b, struct loop *home)
{
	int r;

	p->all = all;
	p->low = (struct cell){ .got = pair_got_low, .home = home, .chunk = a < b ? a : b };
	p->high = (struct cell){ .got = pair_got_high, .home = home, .chunk = a < b ? b : a };
	r = cell_take(all, &p->low);
	return r == CELL_HELD ? pair_take_high(p) : r;
}

void cells_give_both(struct cell_pair *p)
{
	if (!pair_is_one(p))
		cell_give(p->all, &p->high);
	cell_give(p->all, &p->low);
}

void cells_open_both(struct cell_pair *p)
{
	if (!pair_is_one(p))
		cell_open(p->all, &p->high);
	cell_open(p->all, &p->low);
}
