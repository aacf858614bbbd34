/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to an array of raid1: see write.h. */
#include "targets/raid/write.h"

#include "core/path/fault.h"
#include "targets/raid/array.h"

/* A write's fate is in own[0]. */
static void set_fate(struct dm_req *r, uint32_t fate)
{
	r->own[0] = (void *)(uintptr_t)fate;
}

/* --- to the legs ------------------------------------------------------------------------------------------------------------- */

/* A bit for each: legs that a write goes to, and those of them that may get it behind its client's back. */
struct destinations {
	uint32_t to, behind;
};

static struct destinations legs_to_write(const struct array *a)
{
	struct destinations d = { .to = 0 };
	bool others = false;
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		const struct raid_leg *l = &a->raid->legs[i];

		if (!leg_is_written(l))
			continue;
		d.to |= 1u << i;
		d.behind |= (uint32_t)l->write_mostly << i;
		others |= leg_state(l) == LEG_GOOD && !l->write_mostly;
	}
	if (!others)
		d.behind = 0;
	return d;
}

/* R's children go to these legs; W: what is behind it, or NULL. */
static int send_children(struct array *a, struct dm_req *r, struct destinations d, struct behind_write *w)
{
	uint32_t legs = w ? d.to & ~d.behind : d.to;
	struct dm_req *c[RAID1_LEGS];
	struct dm_io *io = r->io;
	unsigned n = 0, i;

	if (dm_children(r, c, (unsigned)__builtin_popcount(legs)))
		return -ENOMEM;
	if (w)
		behind_send(w, r, d.behind);
	for (; legs; legs &= legs - 1)
		c[n++]->which = (uint8_t)__builtin_ctz(legs);
	set_fate(r, n << FATE_LEFT_SHIFT | (w ? FATE_BEHIND : 0));
	for (i = 0; i < n; i++)
		dm_send(io, &a->raid->legs[c[i]->which].data, c[i]);
	return DM_HELD;
}

int write_send(struct array *a, struct dm_req *r)
{
	struct destinations d = legs_to_write(a);
	struct behind_write *w = NULL;
	int verdict = -EIO;

	if (a->on_disk && atomic_load_explicit(&a->metadata.lost, memory_order_relaxed)) {
		dm_why(r->io, "the metadata of the array cannot be written");
	} else {
		w = d.behind ? behind_take(a, r) : NULL;
		verdict = send_children(a, r, d, w);
	}
	if (verdict == DM_HELD)
		return DM_HELD;
	if (w)
		behind_give(w);
	array_leave(a, r, false);
	return verdict;
}

int write_flush(struct array *a, struct dm_req *r)
{
	return send_children(a, r, legs_to_write(a), NULL);
}

/* --- what becomes of it ------------------------------------------------------------------------------------------------------ */

uint32_t fate_of(const struct array *a, unsigned leg, enum dm_op op, int err)
{
	if (!err)
		return FATE_SOME | (leg_state(&a->raid->legs[leg]) == LEG_GOOD ? FATE_WRITTEN : 0);
	if (err == DM_PUT_BACK)
		return FATE_PUT_BACK;
	if (dm_is_interrupted(err))
		return FATE_CUT_SHORT;
	return err == -EOPNOTSUPP || op == DM_DISCARD ? FATE_REFUSED : 1u << leg;
}

/* Legs that have refused it are dead now, except perhaps the last one: true. */
static bool legs_fail(struct array *a, uint32_t failed, const char *did)
{
	bool stays = false;
	unsigned i;

	for (i = 0; i < a->raid->n; i++)
		if (failed >> i & 1 && !array_leg_fails(a, i, did))
			stays |= leg_state(&a->raid->legs[i]) == LEG_GOOD;
	return stays;
}

/* What its client is told; LAST: the last good leg has refused it. */
static int verdict_of(uint32_t fate, int err, bool last)
{
	if (fate & FATE_PUT_BACK)
		return DM_PUT_BACK;
	if (fate & FATE_CUT_SHORT)
		return dm_is_interrupted(err) ? err : -EINTR;
	if (fate & FATE_FAILED)
		return last || !(fate & FATE_WRITTEN) ? (err < 0 ? err : -EIO) : 0;
	return fate & FATE_REFUSED ? (err < 0 ? err : -EOPNOTSUPP) : 0;
}

static int write_ends(struct array *a, uint32_t fate, struct dm_req *r, struct dm_req *c, int err, bool last)
{
	int verdict = verdict_of(fate, err, last);

	return verdict || !a->on_disk ? verdict : array_hold(a, r, c, verdict);
}

/* Legs may differ where it was, which is made good, also if one of them is behind: it has been there, perhaps. A discard that all refuse changes nothing. */
static bool is_torn(uint32_t fate, bool last)
{
	return last || fate & (FATE_CUT_SHORT | FATE_PUT_BACK) || (fate & FATE_REFUSED && fate & FATE_SOME);
}

static void leave_region(struct array *a, struct dm_req *in, bool torn)
{
	uint64_t region = region_of(&a->regions, in->sector);

	array_leave(a, in, torn || array_keeps_marks(a));
	if (!torn || array_legs(a, LEG_GOOD) + array_legs(a, LEG_BEHIND) < 2)
		return;
	atomic_fetch_add(&a->torn, 1);
	atomic_store(&a->differs, true);
	sweep_from(&a->actions.sweep, region);
	actions_look(a);
}

int write_over(struct array *a, struct dm_req *in, uint32_t fate, struct dm_req *r, struct dm_req *c, int err)
{
	bool last = legs_fail(a, fate & FATE_FAILED, "be written to");

	leave_region(a, in, is_torn(fate, last));
	return r ? write_ends(a, fate, r, c, err, last) : 0;
}

int write_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t now = (write_fate(r) | fate_of(a, c->which, c->op, err)) - (1u << FATE_LEFT_SHIFT);

	set_fate(r, now);
	if (now >> FATE_LEFT_SHIFT)
		return 0;
	if (r->op == DM_FLUSH)
		return write_ends(a, now, r, c, err, legs_fail(a, now & FATE_FAILED, "be flushed"));
	return now & FATE_BEHIND ? behind_child(r->own[1], r, c, err) : write_over(a, r, now, r, c, err);
}
