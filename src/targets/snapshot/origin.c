/* SPDX-License-Identifier: BSD-2-Clause */
/* An origin and the set of its snapshots: see origin.h. */
#include "targets/snapshot/origin.h"

#include <errno.h>
#include <stdlib.h>

#include "core/world.h"
#include "targets/snapshot/claim.h"

#define RUN_MOST 1024u		/* chunks that are looked at for one request */

enum { COPIES = 32, COPY_SECTORS = 128, CLAIMS = 128 };

static int origin_begin(struct dm_shared *s, struct err *e)
{
	struct origin *o = (struct origin *)s;

	o->at = (struct dm_at){ .store = s->store };
	list_init(&o->lines);
	if (epoch_new(&o->reads, s->world, e) || epoch_new(&o->writes, s->world, e) ||
	    copier_new(&o->copier, s->world, COPIES, COPY_SECTORS, e) ||
	    reserve_new(&o->reserve, CLAIMS, sizeof(struct claim), claim_got, o, e))
		return e->code;
	return 0;
}

static void origin_end(struct dm_shared *s)
{
	struct origin *o = (struct origin *)s;

	reserve_free(o->reserve);
	copier_free(o->copier);
	epoch_free(o->writes);
	epoch_free(o->reads);
	free(o->set);
}

static const struct dm_shared_kind origin_kind = {
	.name = "an origin of snapshots", .size = sizeof(struct origin), .begin = origin_begin, .end = origin_end,
};

int origin_get(struct origin **out, const struct dm_at *at, struct err *e)
{
	struct dm_shared *s;
	int err = dm_shared_get(&s, &origin_kind, at->store, e);

	*out = (struct origin *)s;
	return err;
}

void origin_put(struct origin *o)
{
	dm_shared_put((struct dm_shared *)o);
}

void origin_look(struct origin *o)
{
	const struct dm_store *s = o->at.store;

	atomic_store(&o->sectors, s->device ? dm_device_sectors(s->device) : s->sectors);
}

/* --- the set ------------------------------------------------------------------------------------------------------------ */

static void change_waited(struct epoch_wait *w)
{
	struct origin_change *c = container(w, struct origin_change, wait);

	c->done(c);
}

/* Nobody looks at the old set any more, and what is under way by it is in the epoch. */
static void change_toured(struct dm_tour *t)
{
	struct origin_change *c = container(t, struct origin_change, tour);

	free(c->old);
	c->wait = (struct epoch_wait){ .done = change_waited, .home = c->origin->shared.world->loop };
	epoch_wait(c->origin->writes, &c->wait);
}

static void change_begin(struct origin *o, struct origin_change *c, struct origin_set *old)
{
	c->origin = o;
	c->old = old;
	dm_tour(o->shared.world, &c->tour, change_toured);
}

static bool comes_before(const struct cow *a, const struct cow *b)
{
	return cow_comes_before(a->chunk, a, b->chunk, b);
}

static void set_add(struct origin_set *s, struct cow *cow, uint64_t sectors)
{
	unsigned i = s->n++;

	for (; i && comes_before(cow, atomic_load(&s->at[i - 1].cow)); i--) {
		atomic_store(&s->at[i].cow, atomic_load(&s->at[i - 1].cow));
		s->at[i].sectors = s->at[i - 1].sectors;
	}
	atomic_store(&s->at[i].cow, cow);
	s->at[i].sectors = sectors;
	if (!s->chunk || cow->chunk < s->chunk)
		s->chunk = cow->chunk;
}

int origin_join(struct origin *o, struct cow *cow, uint64_t sectors, struct origin_change *c)
{
	struct origin_set *old = atomic_load(&o->set), *s;
	unsigned i, n = old ? old->n : 0;

	s = calloc(1, sizeof(*s) + (n + 1) * sizeof(s->at[0]));
	if (!s)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct cow *other = atomic_load(&old->at[i].cow);

		if (other && other != cow)
			set_add(s, other, old->at[i].sectors);
	}
	set_add(s, cow, sectors);
	atomic_store(&o->set, s);
	change_begin(o, c, old);
	return 0;
}

/* It leaves a gap, which needs no memory. */
void origin_leave(struct origin *o, const struct cow *cow, struct origin_change *c)
{
	struct origin_set *s = atomic_load(&o->set);
	unsigned i;

	for (i = 0; s && i < s->n; i++)
		if (atomic_load(&s->at[i].cow) == cow)
			atomic_store(&s->at[i].cow, NULL);
	change_begin(o, c, NULL);
}

/* --- writes ------------------------------------------------------------------------------------------------------------- */

/* The same for one snapshot. */
static uint64_t member_clean(const struct cow *c, uint64_t end, uint64_t sector, uint64_t count)
{
	uint64_t at = sector;

	if (count > (uint64_t)RUN_MOST << c->shift)
		count = (uint64_t)RUN_MOST << c->shift;
	while (at < sector + count && at < end) {
		if (!cow_has(c, cow_chunk(c, at)))
			return at - sector;
		at += cow_room(c, at);
	}
	return count;
}

const struct dm_store *origin_store(const struct origin *o, size_t i)
{
	const struct origin_set *s = atomic_load_explicit(&o->set, memory_order_acquire);
	unsigned n;

	for (n = 0; s && n < s->n; n++) {
		const struct cow *c = atomic_load_explicit(&s->at[n].cow, memory_order_acquire);

		if (c && !i--)
			return c->at.store;
	}
	return NULL;
}

uint64_t origin_clean(const struct origin *o, uint64_t sector, uint64_t count)
{
	const struct origin_set *s = atomic_load_explicit(&o->set, memory_order_acquire);
	unsigned i;

	for (i = 0; s && count && i < s->n; i++) {
		const struct cow *c = atomic_load_explicit(&s->at[i].cow, memory_order_acquire);

		if (c && cow_is_valid(c))
			count = member_clean(c, s->at[i].sectors, sector, count);
	}
	return count;
}

/* Sectors up to where another snapshot may have another chunk. */
static uint64_t smallest_room(const struct origin *o, uint64_t sector)
{
	const struct origin_set *s = atomic_load_explicit(&o->set, memory_order_acquire);

	return s->chunk - (sector & (s->chunk - 1));
}

static int write_part(struct dm_req *r, uint64_t count)
{
	r->count = count;
	return DM_PART;
}

static void origin_made(struct claim *c, int err)
{
	struct dm_req *r = c->req;
	struct origin *o = c->origin;
	bool mark = c->mark;

	claim_over(c, false);
	if (err) {
		epoch_leave(o->writes, r->io, mark);
		dm_go_on_here(r, err);
		return;
	}
	dm_track(r, mark);
	dm_go_on_here(r, dm_remap(r, &o->at, r->sector));
}

static void origin_claimed(struct claim *c)
{
	c->sector = c->req->sector;
	c->done = origin_made;
	claim_start(c);
}

static const struct claim_use origin_use = { .got = origin_claimed };

int origin_write(struct origin *o, struct dm_req *r)
{
	uint64_t clean = origin_clean(o, r->sector, r->count), room;

	if (clean == r->count) {
		dm_track(r, epoch_enter(o->writes, r->io));
		return dm_remap(r, &o->at, r->sector);
	}
	if (clean)
		return write_part(r, clean);
	room = smallest_room(o, r->sector);
	return r->count > room ? write_part(r, room) : claim_take(o, r, &origin_use);
}
