/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that change on their way. A read that is to be changed has a child, whose data are changed when it comes back. Of a
 * write the writer's buffer must stay as it is: the blocks that hold changed bytes are copied and go below as children of their
 * own, between those for the rest.
 */
#include <errno.h>
#include <sys/random.h>

#include "core/path/child.h"
#include "core/path/held.h"
#include "targets/flakey/flakey.h"

#define FLAKEY_HELD 32u			/* writes that are being changed at a time */

/* The bits of Linux' bi_opf that a request has here as well: its operation (READ 0, WRITE 1), and these two. */
#define FLAKEY_WRITE 1u
#define FLAKEY_FUA (1u << 17)

struct flakey_change {
	uint64_t byte;			/* of the request's data, 0 is the first */
	uint8_t value;
};

struct flakey_write {
	unsigned left;			/* children under way */
	uint8_t bytes[];		/* FLAKEY_CHANGES blocks */
};

/* What happens to a request's data: in its own[0], but for a write that has its buffer: that is there then. */
enum { CHANGE_SAID = 1, CHANGE_RANDOM = 2 };

static uint64_t flakey_random(struct flakey *k)
{
	uint64_t x = atomic_fetch_add_explicit(&k->random, UINT64_C(0x9e3779b97f4a7c15), memory_order_relaxed);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uintptr_t flakey_changes(struct flakey *k, const struct dm_req *r)
{
	bool writes = r->op == DM_WRITE;
	uint32_t has = (writes ? FLAKEY_WRITE : 0) | (r->flags & DM_FUA ? FLAKEY_FUA : 0);
	uint32_t odds = writes ? k->random_writes : k->random_reads;
	uintptr_t changes = 0;

	if (k->byte && k->of_writes == writes && (has & k->flags) == k->flags)
		changes |= CHANGE_SAID;
	if (odds && flakey_random(k) % FLAKEY_ODDS < odds)
		changes |= CHANGE_RANDOM;
	return changes;
}

/* What is to be changed of BYTES bytes, in the order in which they lie there. */
static unsigned flakey_list(struct flakey *k, uintptr_t changes, uint64_t bytes, struct flakey_change out[FLAKEY_CHANGES])
{
	struct flakey_change first;
	uint64_t random;
	unsigned n = 0;

	if (changes & CHANGE_SAID && k->byte <= bytes)
		out[n++] = (struct flakey_change){ k->byte - 1, k->value };
	if (changes & CHANGE_RANDOM) {
		random = flakey_random(k);
		out[n++] = (struct flakey_change){ (random >> 8) % bytes, (uint8_t)random };
	}
	if (n == 2 && out[1].byte < out[0].byte) {
		first = out[1];
		out[1] = out[0];
		out[0] = first;
	}
	return n;
}

/* A read whose data will be changed. */
static int flakey_read(const struct flakey *k, struct dm_req *r, uintptr_t changes)
{
	struct dm_req *c;

	if (dm_children(r, &c, 1))
		return -ENOMEM;
	r->own[0] = (void *)changes;
	dm_send(r->io, &k->at, c);
	return DM_HELD;
}

static void flakey_read_back(struct flakey *k, const struct dm_req *r, uintptr_t changes)
{
	struct flakey_change list[FLAKEY_CHANGES];
	unsigned i, n = flakey_list(k, changes, r->count << DM_SECTOR_SHIFT, list);

	for (i = 0; i < n; i++)
		vec_put(vec_from(r->data, list[i].byte), &list[i].value, 1);
}

/* Child C of R is for the COUNT sectors from FROM on, counted from R's. */
static void piece_place(struct dm_req *c, const struct dm_req *r, uint64_t from, uint64_t count)
{
	c->sector = r->sector + from;
	c->count = count;
	c->data = vec_from(r->data, from << DM_SECTOR_SHIFT);
}

/* One child for each block that has changed bytes, and one for each run between. All are taken before the first is sent. */
struct flakey_pieces {
	struct { uint64_t from, count; bool copied; } at[FLAKEY_CHILDREN];
	unsigned n;
};

static void pieces_add(struct flakey_pieces *p, uint64_t from, uint64_t to, bool copied)
{
	if (from == to)
		return;
	p->at[p->n].from = from;
	p->at[p->n].count = to - from;
	p->at[p->n++].copied = copied;
}

static void pieces_cut(struct flakey_pieces *p, const struct flakey *k, uint64_t count, const struct flakey_change *list, unsigned n)
{
	uint64_t block = k->block >> DM_SECTOR_SHIFT, at = 0, from;
	unsigned i;

	p->n = 0;
	for (i = 0; i < n; i++) {
		from = list[i].byte / k->block * block;
		if (i && from < at)
			continue;	/* in the same block as the one before */
		pieces_add(p, at, from, false);
		pieces_add(p, from, from + block, true);
		at = from + block;
	}
	pieces_add(p, at, count, false);
}

/* C goes below with a copy of its block, in which the bytes of LIST that lie there are changed. */
static void piece_copy(const struct flakey *k, struct dm_req *c, uint64_t from, uint8_t *to, const struct flakey_change *list,
		       unsigned n)
{
	uint64_t first = from << DM_SECTOR_SHIFT;
	unsigned i;

	vec_get(c->data, to, k->block);
	for (i = 0; i < n; i++)
		if (list[i].byte >= first && list[i].byte - first < k->block)
			to[list[i].byte - first] = list[i].value;
	dm_req_buffer(c, to, k->block);
}

/* R, which is held, has its buffer. */
static void flakey_got(void *arg, struct dm_req *r, void *object)
{
	struct flakey *k = arg;
	struct flakey_write *w = object;
	struct flakey_change list[FLAKEY_CHANGES];
	unsigned i, copies = 0, n = flakey_list(k, (uintptr_t)r->own[0], r->count << DM_SECTOR_SHIFT, list);
	struct flakey_pieces p;
	struct dm_req *c[FLAKEY_CHILDREN];

	pieces_cut(&p, k, r->count, list, n);
	if (dm_children(r, c, p.n)) {
		reserve_give(k->buffers, w);
		dm_go_on_here(r, -ENOMEM);
		return;
	}
	w->left = p.n;
	r->own[0] = w;
	for (i = 0; i < p.n; i++) {
		piece_place(c[i], r, p.at[i].from, p.at[i].count);
		if (p.at[i].copied)
			piece_copy(k, c[i], p.at[i].from, w->bytes + copies++ * k->block, list, n);
	}
	for (i = 0; i < p.n; i++)
		dm_send(r->io, &k->at, c[i]);
}

static int flakey_write(struct flakey *k, struct dm_req *r, uintptr_t changes)
{
	void *object;

	r->own[0] = (void *)changes;
	object = reserve_take(k->buffers, r);
	if (object)
		flakey_got(k, r, object);
	return DM_HELD;
}

int flakey_changed(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	struct flakey *k = t->priv;
	struct flakey_write *w;

	(void)c;
	if (r->op == DM_READ) {
		if (!err)
			flakey_read_back(k, r, (uintptr_t)r->own[0]);
		return err;
	}
	w = r->own[0];
	if (--w->left == 0)
		reserve_give(k->buffers, w);
	return err;
}

bool flakey_changes_writes(const struct flakey *k)
{
	return (k->byte && k->of_writes) || k->random_writes;
}

bool flakey_changes_reads(const struct flakey *k)
{
	return (k->byte && !k->of_writes) || k->random_reads;
}

int flakey_change(struct flakey *k, struct dm_req *r)
{
	uintptr_t changes = flakey_changes(k, r);

	if (!changes)
		return dm_remap(r, &k->at, r->sector);
	return r->op == DM_READ ? flakey_read(k, r, changes) : flakey_write(k, r, changes);
}

int flakey_change_new(struct flakey *k, struct err *e)
{
	size_t size = sizeof(struct flakey_write) + FLAKEY_CHANGES * (size_t)k->block;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		k->random = seed;
	return flakey_changes_writes(k) ? reserve_new(&k->buffers, FLAKEY_HELD, size, flakey_got, k, e) : 0;
}
