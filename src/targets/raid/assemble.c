/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembles an array from its superblocks: see assemble.h. */
#include "targets/raid/assemble.h"

#include <errno.h>

/* It is to be made anew. That is done once, not each time when a later daemon brings the words back. */
static bool is_ordered(const struct raid_leg *l)
{
	return l->rebuild && !l->rebuilt;
}

static bool is_new(const struct raid_leg *l, const struct raid_found *f, enum raid_sync sync)
{
	return l->data.store && l->meta.store && !f->failed && (!f->has || is_ordered(l) || sync == RAID_SYNC);
}

/* The leg whose superblock counts; -1: none has one. */
static int freshest(const struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync)
{
	int best = -1;
	unsigned i;

	for (i = 0; i < n; i++)
		if (found[i].has && !is_new(&legs[i], &found[i], sync) &&
		    (best < 0 || found[i].super.events > found[best].super.events))
			best = (int)i;
	return best;
}

/* --- what cannot be ---------------------------------------------------------------------------------------------------------- */

static int check_super(const struct raid_super *s, unsigned leg, struct err *e)
{
	if (s->compatible & ~RSB_V190 || s->incompatible)
		return err_set(e, -EINVAL, "the superblock of leg %u has features that are not known: %#x, %#x", leg, s->compatible,
			       s->incompatible);
	if (s->level != 1 || s->new_level != 1)
		return err_set(e, -EINVAL, "the superblock of leg %u is of an array of raid%u, not of raid1", leg,
			       s->level != 1 ? s->level : s->new_level);
	if (s->flags & RSB_RESHAPES)
		return err_set(e, -EINVAL, "the superblock of leg %u says that the array is changing its shape", leg);
	if (s->data_offset || s->new_data_offset)
		return err_set(e, -EINVAL, "the superblock of leg %u says that data begin at sector %llu, which raid1 does not have", leg,
			       (unsigned long long)(s->data_offset ? s->data_offset : s->new_data_offset));
	return 0;
}

static int check_supers(const struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync, struct err *e)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (found[i].has && !is_new(&legs[i], &found[i], sync) && check_super(&found[i].super, i, e))
			return e->code;
	return 0;
}

struct counts { unsigned fresh, rebuilds, both; };

static struct counts count_new(const struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync)
{
	struct counts c = { .fresh = 0 };
	unsigned i;

	for (i = 0; i < n; i++) {
		bool fresh = is_new(&legs[i], &found[i], sync);

		c.fresh += fresh;
		c.rebuilds += is_ordered(&legs[i]);
		c.both += fresh && is_ordered(&legs[i]);
	}
	return c;
}

/* May legs be new in an array that is not? */
static int check_new(struct counts c, struct err *e)
{
	if (c.fresh && !c.rebuilds)
		return err_set(e, -EINVAL, "%u of the legs have no superblock, and others have: which ones are to be made anew has to be said "
			       "with rebuild", c.fresh);
	if (c.fresh != c.both)
		return err_set(e, -EINVAL, "%u legs have no superblock, and rebuild names %u of them", c.fresh, c.both);
	return 0;
}

/* --- legs -------------------------------------------------------------------------------------------------------------------- */

/* What a leg has whose superblock could not be read nobody knows: all of it is copied when it is back. */
static void leg_is(struct raid_leg *l, enum leg_state state, bool whole, uint64_t recovered)
{
	l->whole = whole;
	l->recovered = recovered;
	atomic_store(&l->state, state);
}

/* A leg of an array that is not new. RIGHT: the superblock that counts. */
static void leg_assemble(struct raid_leg *l, const struct raid_found *f, const struct raid_super *right, enum raid_sync sync)
{
	if (!l->data.store)
		leg_is(l, LEG_NONE, false, 0);
	else if (f->failed)
		leg_is(l, LEG_DEAD, true, 0);
	else if (!l->meta.store || is_new(l, f, sync))
		leg_is(l, LEG_BEHIND, true, 0);
	else if (raid_super_failed(right, f->super.position))
		leg_is(l, LEG_BEHIND, f->super.leg_recovered != RAID_ALL, f->super.leg_recovered);
	else if (f->super.leg_recovered == RAID_ALL)
		leg_is(l, LEG_GOOD, false, RAID_ALL);
	else
		leg_is(l, LEG_BEHIND, true, f->super.leg_recovered);
}

static void leg_begin(struct raid_leg *l, const struct raid_found *f)
{
	if (!l->data.store)
		leg_is(l, LEG_NONE, false, 0);
	else if (f->failed)
		leg_is(l, LEG_DEAD, true, 0);
	else if (l->rebuild)
		leg_is(l, LEG_BEHIND, true, 0);
	else
		leg_is(l, LEG_GOOD, false, RAID_ALL);
}

static bool any_is_good(const struct raid_leg *legs, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (atomic_load(&legs[i].state) == LEG_GOOD)
			return true;
	return false;
}

/* --- the array --------------------------------------------------------------------------------------------------------------- */

static void assemble_new(struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync, struct raid_verdict *v)
{
	unsigned i;

	for (i = 0; i < n; i++)
		leg_begin(&legs[i], &found[i]);
	*v = (struct raid_verdict){ .is_new = true, .synchronous = sync == RAID_NOSYNC ? RAID_ALL : 0, .size = RAID_ALL };
}

static void assemble_old(struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync, uint64_t sectors,
			 const struct raid_super *right, struct raid_verdict *v)
{
	bool grows = right->compatible & RSB_V190 && right->sectors < sectors;
	unsigned i;

	for (i = 0; i < n; i++)
		leg_assemble(&legs[i], &found[i], right, sync);
	*v = (struct raid_verdict){
		.events = right->events, .synchronous = sync == RAID_NOSYNC ? RAID_ALL : right->synchronous,
		.size = grows && sync != RAID_NOSYNC ? right->sectors : RAID_ALL,
	};
}

int raid_assemble(struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync, uint64_t sectors,
		  struct raid_verdict *v, struct err *e)
{
	struct counts c = count_new(legs, found, n, sync);
	int right = freshest(legs, found, n, sync);

	if (check_supers(legs, found, n, sync, e))
		return e->code;
	if (right >= 0 && c.fresh && found[right].super.events <= RSB_FIRST)
		right = -1;
	if (right >= 0 && check_new(c, e))
		return e->code;
	if (right < 0 && !c.fresh)
		return err_set(e, -EINVAL, "no superblock of the array can be read");
	if (right < 0)
		assemble_new(legs, found, n, sync, v);
	else
		assemble_old(legs, found, n, sync, sectors, &found[right].super, v);
	if (!any_is_good(legs, n))
		return err_set(e, -EINVAL, "no leg has all that was written: %u are to be made anew, and there is none to make them from", c.fresh);
	return 0;
}
