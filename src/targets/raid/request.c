/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a request through an array of raid1; that of a write is in write.c. A read is a child at one leg. If that fails, it is
 * tried at another one, and what was read there is written back to the first: for that the read becomes a write as far as the regions
 * are concerned, so that nobody else writes there meanwhile.
 */
#include "targets/raid/array.h"

/*
 * A read that has failed, or must not overtake what is behind (write.h), is in its region: own[0] has its child, verdict (child's own[0],
 * while it waits for the region) a bit for each leg that could not be read.
 */
#define CORRECTED_MOST 20u		/* more reads of a leg are not written back: it is dead. As on Linux */

void array_news(struct array *a, uint64_t region, const struct region_news *news)
{
	regions_wake(&a->regions, news->awake);
	if (news->mark)
		marks_mark(&a->metadata.marks, news->mark);
	if (news->quiet)
		sweep_is_quiet(&a->actions.sweep, region);
}

void array_leave(struct array *a, struct dm_req *r, bool torn)
{
	uint64_t region = region_of(&a->regions, r->sector);
	struct region_news news;

	regions_leave(&a->regions, r, torn, &news);
	array_news(a, region, &news);
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

/* R, which is in its region, ends with ERR. */
static int corrected(struct array *a, struct dm_req *r, int err)
{
	array_leave(a, r, array_keeps_marks(a));
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

/* C has it: it is written to the first leg that did not, if there is one. */
static int read_write_back(struct array *a, struct dm_req *r, struct dm_req *c)
{
	unsigned leg;

	if (!r->verdict)
		return corrected(a, r, 0);
	leg = (unsigned)__builtin_ctz((unsigned)r->verdict);
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

	if (!dm_is_interrupted(err) && err != DM_PUT_BACK &&
	    (err || atomic_fetch_add(&l->failures, 1) >= CORRECTED_MOST))
		array_leg_fails(a, c->which, err ? "be written to where it could not be read" : "be read, many times");
	return corrected(a, r, 0);
}

/* R, which the legs in FAILED could not read, waits until it has its region to itself, and is read from another one. */
static int read_in_region(struct array *a, struct dm_req *r, struct dm_req *c, uint32_t failed, int err)
{
	struct region_news news;

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

/* The first leg has failed: perhaps another one has it. */
static int read_fails(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t failed = 1u << c->which;

	return read_leg(a, r, failed) < 0 ? err : read_in_region(a, r, c, failed, err);
}

static int read_begin(struct array *a, struct dm_req *r)
{
	int leg = read_leg(a, r, 0);
	struct dm_req *c;

	if (leg < 0)
		return -EIO;
	if (dm_children(r, &c, 1))
		return -ENOMEM;
	if (a->raid->legs[leg].write_mostly && behind_is_busy(&a->behind))
		return read_in_region(a, r, c, 0, -EIO);
	r->own[0] = NULL;
	read_send(a, r, c, (unsigned)leg);
	return DM_HELD;
}

static int read_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	bool corrects = r->own[0];

	if (c->op == DM_WRITE)
		return read_written_back(a, r, c, err);
	a->reads[r->io->index].of[c->which]--;
	if (!err || err == DM_PUT_BACK || dm_is_interrupted(err) || err == -EOPNOTSUPP || r->flags & DM_AHEAD) {
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
		verdict = r->verdict;
		r->verdict = (int)(uintptr_t)c->own[0];
		verdict = verdict < 0 ? verdict : read_elsewhere(a, r, c, -EIO);
		if (verdict != DM_HELD)
			dm_child_end(c, verdict);
		return;
	}
	verdict = r->verdict < 0 ? r->verdict : write_send(a, r);
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
	return write_flush(a, r);
}

int array_child(struct array *a, struct dm_req *r, struct dm_req *c, int err)
{
	return r->op == DM_READ ? read_child(a, r, c, err) : write_child(a, r, c, err);
}
