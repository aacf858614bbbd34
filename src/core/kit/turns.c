/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns: see turns.h. A request in line for memory keeps its chunk's number in own[0]. */
#include "core/kit/turns.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/io.h"
#include "core/kit/reserve.h"
#include "core/table/target.h"

struct turns {
	void (*got)(struct turn *t);
	struct cells *cells;
	struct reserve *reserve;
};

void turns_free(struct turns *all)
{
	if (!all)
		return;
	reserve_free(all->reserve);
	cells_free(all->cells);
	free(all);
}

/* The next power of two, for so many cells may be held at a time. */
static unsigned turns_buckets(unsigned n)
{
	unsigned buckets = 1;

	while (buckets < n)
		buckets *= 2;
	return buckets;
}

static void turn_verdict(struct turn *t, enum cell_verdict v)
{
	struct turns *all = t->all;
	struct dm_req *r = t->req;

	if (v == CELL_HELD) {
		all->got(t);
		return;
	}
	reserve_give(all->reserve, t);
	dm_go_on_here(r, DM_PUT_BACK);
}

static void turn_got(struct cell *c, enum cell_verdict v)
{
	turn_verdict(container(c, struct turn, cell), v);
}

static void turn_begin(struct turns *all, struct turn *t, struct dm_req *r, uint64_t chunk)
{
	int v;

	*t = (struct turn){ .req = r, .all = all, .cell = { .got = turn_got, .home = r->io->loop, .chunk = chunk } };
	v = cell_take(all->cells, &t->cell);
	if (v != -EINPROGRESS)
		turn_verdict(t, (enum cell_verdict)v);
}

static void turn_found(void *arg, struct dm_req *r, void *object)
{
	if (object)
		turn_begin(arg, object, r, (uintptr_t)r->own[0]);
	else
		dm_go_on_here(r, DM_PUT_BACK);
}

int turns_new(struct turns **out, unsigned n, size_t size, void (*got)(struct turn *t), struct err *e)
{
	struct turns *all = calloc(1, sizeof(*all));

	if (!all)
		return err_set(e, -ENOMEM, "no memory for %u requests that take turns", n);
	all->got = got;
	if (cells_new(&all->cells, turns_buckets(n), e) || reserve_new(&all->reserve, n, size, turn_found, all, e)) {
		turns_free(all);
		return e->code;
	}
	*out = all;
	return 0;
}

int turn_take(struct turns *all, struct dm_req *r, uint64_t chunk)
{
	struct turn *t;

	r->own[0] = (void *)(uintptr_t)chunk;
	t = reserve_take(all->reserve, r);
	if (t)
		turn_begin(all, t, r, chunk);
	return DM_HELD;
}

void turn_end(struct turn *t, int verdict)
{
	struct turns *all = t->all;
	struct dm_req *r = t->req;

	cell_give(all->cells, &t->cell);
	reserve_give(all->reserve, t);
	dm_go_on(r, verdict);
}

void turns_turn_away(struct turns *all)
{
	reserve_turn_away(all->reserve);	/* first: cells give memory back, which others would get */
	cells_turn_away(all->cells);
}

void turns_let_wait(struct turns *all)
{
	reserve_let_wait(all->reserve);
	cells_let_wait(all->cells);
}
