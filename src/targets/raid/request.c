/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a request through an array of raid1. A write is a child at each leg that is written to; the last one to end decides what
 * its end is. A read is a child at one leg. If that fails, it is tried at another one, and what was read there is written back to the
 * first: for that the read becomes a write as far as the regions are concerned, so that nobody else writes there meanwhile.
 */
#include "core/path/fault.h"
#include "targets/raid/array.h"

/* In own[0] of a write, beside a bit for each leg that has failed; the number of children that have not ended is above. */
#define FAILED ((1u << RAID1_LEGS) - 1)
#define WRITTEN (1u << 16)		/* a leg that is good has it */
#define SOME (1u << 17)			/* some leg has it */
#define CUT_SHORT (1u << 18)		/* some leg perhaps has it, and is not to blame */
#define PUT_BACK (1u << 19)
#define REFUSED (1u << 20)		/* some leg cannot do that */
#define LEFT_SHIFT 24

/*
 * A read that has failed is in its region: own[0] has its child, verdict (child's own[0], while it waits for the region) a bit for
 * each leg that could not be read.
 */
#define CORRECTED_MOST 20u		/* more reads of a leg are not written back: it is dead. As on Linux */

static uint32_t fate(const struct dm_req *r)
{
	return (uint32_t)(uintptr_t)r->own[0];
}

static void set_fate(struct dm_req *r, uint32_t fate)
{
	r->own[0] = (void *)(uintptr_t)fate;
}

void array_news(struct array *a, uint64_t region, const struct region_news *news)
{
	regions_wake(&a->regions, news->awake);
	if (news->mark)
		marks_mark(&a->metadata.marks, news->mark);
	if (news->quiet)
		sweep_is_quiet(&a->actions.sweep, region);
}

/* R is over. TORN: the legs may differ there, or one of them lacks it. */
static void leave(struct array *a, struct dm_req *r, bool torn)
{
	uint64_t region = region_of(&a->regions, r->sector);
	struct region_news news;

	regions_leave(&a->regions, r, torn, &news);
	array_news(a, region, &news);
}

/* --- writes --------------------------------------------------------------------------------------------------------------- */

/* R and its children go to all legs that are written to. */
static int send_children(struct array *a, struct dm_req *r)
{
	struct dm_req *c[RAID1_LEGS];
	struct dm_io *io = r->io;
	uint8_t to[RAID1_LEGS];
	unsigned i, n = 0;

	for (i = 0; i < a->raid->n; i++)
		if (leg_is_written(&a->raid->legs[i]))
			to[n++] = (uint8_t)i;
	if (dm_children(r, c, n))
		return -ENOMEM;
	set_fate(r, n << LEFT_SHIFT);
	for (i = 0; i < n; i++)
		c[i]->which = to[i];
	for (i = 0; i < n; i++)
		dm_send(io, &a->raid->legs[to[i]].data, c[i]);
	return DM_HELD;
}

/* A write that is in its region. */
static int write_send(struct array *a, struct dm_req *r)
{
	int verdict = -EIO;

	if (a->on_disk && atomic_load_explicit(&a->metadata.lost, memory_order_relaxed))
		dm_why(r->io, "the metadata of the array cannot be written");
	else
		verdict = send_children(a, r);
	if (verdict != DM_HELD)
		leave(a, r, false);
	return verdict;
}

static uint32_t fate_of_child(const struct array *a, const struct dm_req *c, int err)
{
	if (!err)
		return SOME | (leg_state(&a->raid->legs[c->which]) == LEG_GOOD ? WRITTEN : 0);
	if (err == DM_PUT_BACK)
		return PUT_BACK;
	if (array_is_interrupted(err))
		return CUT_SHORT;
	return err == -EOPNOTSUPP || c->op == DM_DISCARD ? REFUSED : 1u << c->which;
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

/* All children have ended, C with ERR as the last one; LAST: the last good leg has refused it. */
static int write_verdict(struct array *a, struct dm_req *r, struct dm_req *c, int err, bool last)
{
	uint32_t now = fate(r);
	int verdict = 0;

	if (now & PUT_BACK)
		return DM_PUT_BACK;
	if (now & CUT_SHORT)
		verdict = array_is_interrupted(err) ? err : -EINTR;
	else if (now & FAILED)
		verdict = last || !(now & WRITTEN) ? (err < 0 ? err : -EIO) : 0;
	else if (now & REFUSED)
		verdict = err < 0 ? err : -EOPNOTSUPP;
	return verdict < 0 || !a->on_disk ? verdict : array_hold(a, r, c, verdict);
}

/* Good legs may differ where R is, which is made good; a discard that all refuse changes nothing. */
static bool is_torn(uint32_t now, bool last)
{
	return last || now & (CUT_SHORT | PUT_BACK) || (now & REFUSED && now & SOME);
}

static void write_over(struct array *a, struct dm_req *r, bool last)
{
	uint64_t region = region_of(&a->regions, r->sector);
	bool torn = is_torn(fate(r), last);

	leave(a, r, torn || array_keeps_marks(a));
	if (!torn)
		return;
	if (array_legs(a, LEG_GOOD) < 2)
		return;
	atomic_fetch_add(&a->torn, 1);
	atomic_store(&a->differs, true);
	sweep_from(&a->actions.sweep, region);
	actions_look(a);
}

static int write_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t now = (fate(r) | fate_of_child(a, c, err)) - (1u << LEFT_SHIFT);
	bool last;

	set_fate(r, now);
	if (now >> LEFT_SHIFT)
		return 0;
	last = legs_fail(a, now & FAILED, r->op == DM_FLUSH ? "be flushed" : "be written to");
	if (r->op != DM_FLUSH)
		write_over(a, r, last);
	return write_verdict(a, r, c, err, last);
}

/* --- reads ---------------------------------------------------------------------------------------------------------------- */

static bool is_better(const struct array *a, const uint32_t *under_way, unsigned i, int best)
{
	const struct raid_leg *legs = a->raid->legs;

	if (best < 0 || legs[i].write_mostly != legs[best].write_mostly)
		return best < 0 || legs[best].write_mostly;
	return under_way[i] < under_way[best];
}

/* The good one with the fewest reads under way on this thread, but for those in EXCEPT; -1: there is none. */
static int read_leg(const struct array *a, const struct dm_req *r, uint32_t except)
{
	const uint32_t *under_way = a->reads[r->io->index].of;
	int best = -1;
	unsigned i;

	if (!except && atomic_load_explicit(&a->differs, memory_order_relaxed) &&
	    !region_is_synchronous(&a->regions, region_of(&a->regions, r->sector)))
		return array_first(a);
	for (i = 0; i < a->raid->n; i++)
		if (!(except >> i & 1) && leg_state(&a->raid->legs[i]) == LEG_GOOD && is_better(a, under_way, i, best))
			best = (int)i;
	return best;
}

static void read_send(struct array *a, const struct dm_req *r, struct dm_req *c, unsigned leg)
{
	c->which = (uint8_t)leg;
	c->sector = r->sector;
	a->reads[r->io->index].of[leg]++;
	dm_send(r->io, &a->raid->legs[leg].data, c);
}

static int read_begin(struct array *a, struct dm_req *r)
{
	int leg = read_leg(a, r, 0);
	struct dm_req *c;

	if (leg < 0)
		return -EIO;
	if (dm_children(r, &c, 1))
		return -ENOMEM;
	r->own[0] = NULL;
	read_send(a, r, c, (unsigned)leg);
	return DM_HELD;
}

/* R, which is in its region, ends with ERR. */
static int corrected(struct array *a, struct dm_req *r, int err)
{
	leave(a, r, array_keeps_marks(a));
	return err;
}

/* Nobody writes where R is: it is read from a leg that has not failed. */
static int read_elsewhere(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	int leg = read_leg(a, r, (uint32_t)r->verdict);

	if (leg < 0)
		return corrected(a, r, err);
	read_send(a, r, c, (unsigned)leg);
	return DM_HELD;
}

/* C has it: it is written to the first leg that did not. */
static int read_write_back(struct array *a, struct dm_req *r, struct dm_req *c)
{
	unsigned leg = (unsigned)__builtin_ctz((unsigned)r->verdict);

	if (!leg_is_written(&a->raid->legs[leg]))
		return corrected(a, r, 0);
	c->op = DM_WRITE;
	c->which = (uint8_t)leg;
	c->sector = r->sector;
	dm_send(r->io, &a->raid->legs[leg].data, c);
	return DM_HELD;
}

static int read_written_back(struct array *a, struct dm_req *r, const struct dm_req *c, int err)
{
	struct raid_leg *l = &a->raid->legs[c->which];

	if (!array_is_interrupted(err) && err != DM_PUT_BACK &&
	    (err || atomic_fetch_add(&l->failures, 1) >= CORRECTED_MOST))
		array_leg_fails(a, c->which, err ? "be written to where it could not be read" : "be read, many times");
	return corrected(a, r, 0);
}

/* The first leg has failed: R waits until it has its region to itself, if another one may have it. */
static int read_fails(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t failed = 1u << c->which;
	struct region_news news;

	if (read_leg(a, r, failed) < 0)
		return err;
	r->own[0] = c;
	c->own[0] = (void *)(uintptr_t)failed;
	if (regions_enter(&a->regions, r, &news) != REGION_WAITS) {
		r->verdict = (int)failed;
		return read_elsewhere(a, r, c, err);
	}
	if (news.mark)
		marks_mark(&a->metadata.marks, news.mark);
	return DM_HELD;
}

static int read_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	bool corrects = r->own[0];

	if (c->op == DM_WRITE)
		return read_written_back(a, r, c, err);
	a->reads[r->io->index].of[c->which]--;
	if (!err || err == DM_PUT_BACK || array_is_interrupted(err) || err == -EOPNOTSUPP || r->flags & DM_AHEAD) {
		if (!corrects)
			return err;
		return err ? corrected(a, r, err) : read_write_back(a, r, c);
	}
	if (!corrects)
		return read_fails(a, r, c, err);
	r->verdict |= (int)(1u << c->which);
	return read_elsewhere(a, r, c, err);
}

/* --- the type's functions --------------------------------------------------------------------------------------------------- */

/* R has its region; as a read, after it has failed once. */
void array_again(struct loop_msg *home)
{
	struct dm_req *r = container(home, struct dm_req, home), *c = r->own[0];
	struct array *a = ((struct raid *)dm_holder(r)->priv)->array;
	int verdict;

	dm_io_turn(r->io);
	if (r->op == DM_READ) {
		r->verdict = (int)(uintptr_t)c->own[0];
		verdict = read_elsewhere(a, r, c, -EIO);
		if (verdict != DM_HELD)
			dm_child_end(c, verdict);
		return;
	}
	verdict = write_send(a, r);
	if (verdict != DM_HELD)
		dm_go_on_here(r, verdict);
}

static int write_begin(struct array *a, struct dm_req *r)
{
	struct region_news news;

	if (regions_enter(&a->regions, r, &news) != REGION_WAITS)
		return write_send(a, r);
	if (news.mark)
		marks_mark(&a->metadata.marks, news.mark);
	return DM_HELD;
}

int array_map(struct array *a, struct dm_req *r)
{
	if (r->op == DM_READ)
		return read_begin(a, r);
	if (r->op == DM_EXTENT)
		return dm_remap(r, &a->raid->legs[array_first(a)].data, r->sector);
	return write_begin(a, r);
}

int array_flush(struct array *a, struct dm_req *r)
{
	return send_children(a, r);
}

int array_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	return r->op == DM_READ ? read_child(a, r, c, err) : write_child(a, r, c, err);
}
