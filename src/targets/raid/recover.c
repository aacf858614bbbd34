/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies to legs what they lack, and makes good legs equal: the work of the actions recover and resync. The first good leg is read;
 * what is copied goes to legs that are behind, and to the other good ones where they may differ. Neighbouring regions are one copy,
 * which goes to each leg that lacks one of them; if no leg can be read, they are copied one by one.
 */
#include "targets/raid/array.h"

static struct array *array_of(const struct raid_hand *h)
{
	return h->hand.sweep->owner;
}

static uint64_t region_end(const struct array *a, uint64_t region)
{
	uint64_t end = (region + 1) << a->regions.shift;

	return end < a->sectors ? end : a->sectors;
}

static bool leg_lacks(const struct array *a, const struct raid_leg *l, uint64_t region)
{
	if (leg_state(l) != LEG_BEHIND)
		return false;
	return !region_is_synchronous(&a->regions, region) || (l->whole && region_end(a, region) > l->recovered);
}

bool recover_wants(const struct sweep *s, uint64_t region)
{
	const struct array *a = s->owner;
	unsigned i;

	if (atomic_load(&a->differs) && !region_is_synchronous(&a->regions, region))
		return true;
	for (i = 0; i < a->raid->n; i++)
		if (leg_lacks(a, &a->raid->legs[i], region))
			return true;
	return false;
}

/* They are open again. */
static void regions_recovered(struct array *a, struct sweep_run run, bool ok)
{
	struct region_news news;
	uint64_t region;

	for (region = run.first; region < run.first + run.n; region++) {
		if (ok && !array_keeps_marks(a))
			region_copied(&a->regions, region, true, &news);
		else
			region_untouched(&a->regions, region, &news);
		array_news(a, region, &news);
	}
}

static void recover_over(struct raid_hand *h, bool ok)
{
	struct array *a = array_of(h);

	if (!ok)
		atomic_store(&a->actions.failed, true);
	if (a->on_disk)
		marks_are_used(&a->metadata.marks);
	regions_recovered(a, sweep_put(&h->hand), ok);
	sweep_next(&h->hand);
}

/* Does a copy of REGION go to this leg? */
static bool leg_is_place(const struct array *a, const struct raid_leg *l, uint64_t region)
{
	if (leg_state(l) == LEG_GOOD)
		return atomic_load(&a->differs) && !region_is_synchronous(&a->regions, region);
	return leg_lacks(a, l, region);
}

/* Where to, and whether there is anything. */
static bool recover_places(struct array *a, struct raid_hand *h)
{
	struct sweep_run run = sweep_run(&h->hand);
	struct copy *c = &h->copy;
	uint64_t n;
	unsigned i;

	c->n_to = 0;
	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		for (n = 0; n < run.n && !leg_is_place(a, l, run.first + n); n++)
			;
		if (i != h->from && n < run.n)
			c->to[c->n_to++] = &l->data;
	}
	return c->n_to;
}

void recover_work(struct sweep_hand *hand, struct sweep_run run)
{
	struct raid_hand *h = container(hand, struct raid_hand, hand);
	struct array *a = array_of(h);
	struct copy *c = &h->copy;

	h->from = (unsigned)array_first(a);
	h->tried = 1u << h->from;
	c->from = &a->raid->legs[h->from].data;
	c->sector = run.first << a->regions.shift;
	c->sectors = region_end(a, run.first + run.n - 1) - c->sector;
	if (recover_places(a, h))
		copy_start(a->actions.copier, c);
	else
		recover_over(h, true);
}

/* The leg that was read cannot be. Another one? */
static bool recover_from_another(struct array *a, struct raid_hand *h)
{
	unsigned i;

	for (i = 0; i < a->raid->n; i++)
		if (!(h->tried >> i & 1) && leg_state(&a->raid->legs[i]) == LEG_GOOD)
			break;
	if (i == a->raid->n)
		return false;
	h->from = i;
	h->tried |= 1u << i;
	h->copy.from = &a->raid->legs[i].data;
	return recover_places(a, h);
}

/* No leg has all of these regions, but each may be on one. */
static void recover_alone(struct raid_hand *h)
{
	regions_recovered(array_of(h), sweep_alone(&h->hand), false);
	recover_work(&h->hand, sweep_run(&h->hand));
}

static void recover_unread(struct raid_hand *h)
{
	if (sweep_run(&h->hand).n > 1)
		recover_alone(h);
	else
		recover_over(h, false);
}

static unsigned leg_at(const struct array *a, const struct dm_at *at)
{
	return (unsigned)(container(at, struct raid_leg, data) - a->raid->legs);
}

/* LEG cannot be written to. True: that is the end of this copy, because not only that leg is missing now. */
static bool recover_refused(struct raid_hand *h, unsigned leg)
{
	struct array *a = array_of(h);

	if (!array_leg_fails(a, leg, "take what it lacked") && leg_state(&a->raid->legs[leg]) == LEG_GOOD)
		recover_over(h, false);		/* it is the last good one: the one that was read is none any more */
	else if (leg_state(&a->raid->legs[h->from]) != LEG_GOOD)
		recover_work(&h->hand, sweep_run(&h->hand));	/* from another one, once more */
	else
		return false;
	return true;
}

void recover_copied(struct copy *c)
{
	struct raid_hand *h = container(c, struct raid_hand, copy);
	struct array *a = array_of(h);
	bool again;

	if (!c->err || dm_is_interrupted(c->err) || c->err == DM_PUT_BACK) {
		recover_over(h, !c->err);
		return;
	}
	if (c->where == c->from) {
		again = recover_from_another(a, h);
		if (!again) {
			recover_unread(h);
			return;
		}
	} else if (recover_refused(h, leg_at(a, c->where))) {
		return;
	} else {
		again = recover_places(a, h);
	}
	if (again)
		copy_start(a->actions.copier, c);
	else
		recover_over(h, true);
}
