/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a request through a mirror. A read is a child at one leg, and is tried at another one if that fails. A write is a
 * child at each leg, or at the first one alone while its region is not synchronous; the last child to end decides what the
 * write's end is. own[0] of a write says to whom it went, and what has become of its children; own[1] is sync_regions.h's.
 */
#include "core/path/fault.h"
#include "targets/mirror/mirror.h"

/* In own[0], beside a bit for each leg that has failed; the number of children that have not ended is above. */
#define TO_ALL (1u << 9)
#define WRITTEN (1u << 10)		/* some leg has it */
#define CUT_SHORT (1u << 11)		/* some leg perhaps has it, and is not to blame */
#define PUT_BACK (1u << 12)
#define REFUSED (1u << 13)		/* some leg cannot do that */
#define FAILED ((1u << MIRROR_LEGS) - 1)
#define LEFT_SHIFT 16

static uint32_t fate(const struct dm_req *r)
{
	return (uint32_t)(uintptr_t)r->own[0];
}

static void set_fate(struct dm_req *r, uint32_t fate)
{
	r->own[0] = (void *)(uintptr_t)fate;
}

void mirror_news(struct mirror *m, uint64_t region, const struct region_news *news)
{
	regions_wake(&m->regions, news->awake);
	if (news->mark)
		marks_mark(&m->log.marks, news->mark);
	if (news->quiet)
		sweep_is_quiet(&m->resync.sweep, region);
}

/* --- reads ---------------------------------------------------------------------------------------------------------------- */

/* The leg that R is read from; -1: none is left. */
static int read_leg(const struct mirror *m, const struct dm_req *r)
{
	unsigned first = legs_first(&m->legs);

	if (region_is_synchronous(&m->regions, region_of(&m->regions, r->sector)))
		return legs_to_read(&m->legs, r->io);
	return leg_is_good(&m->legs.of[first]) ? (int)first : -1;
}

static void read_send(const struct mirror *m, const struct dm_req *r, struct dm_req *c, unsigned leg)
{
	c->which = (uint8_t)leg;
	c->sector = r->sector;
	m->legs.reads[r->io->index].of[leg]++;
	dm_send(r->io, &m->legs.of[leg].at, c);
}

static int read_begin(const struct mirror *m, struct dm_req *r)
{
	int leg = read_leg(m, r);
	struct dm_req *c;

	if (leg < 0) {
		dm_why(r->io, "no leg of the mirror that has the data is left");
		return -EIO;
	}
	if (dm_children(r, &c, 1))
		return -ENOMEM;
	read_send(m, r, c, (unsigned)leg);
	return DM_HELD;
}

static int read_child(struct mirror *m, struct dm_req *r, struct dm_req *c, int err)
{
	int leg;

	m->legs.reads[r->io->index].of[c->which]--;
	if (err >= 0 || dm_is_interrupted(err) || err == -EOPNOTSUPP || r->flags & DM_AHEAD)
		return err;
	mirror_leg_fails(m, c->which, LEG_READ);
	leg = read_leg(m, r);
	if (leg < 0)
		return err;
	read_send(m, r, c, (unsigned)leg);
	return DM_HELD;
}

/* --- writes --------------------------------------------------------------------------------------------------------------- */

/* R is not sent, or no more: VERDICT, which may be that it is held. */
static int write_leave(struct mirror *m, struct dm_req *r, bool torn)
{
	uint64_t region = region_of(&m->regions, r->sector);
	struct region_news news;

	regions_leave(&m->regions, r, torn, &news);
	mirror_news(m, region, &news);
	return 0;
}

/* Must R, which was not sent yet, wait for another table, or fail? 0: no; or the verdict. */
static int write_stop(struct mirror *m, struct dm_req *r, bool to_all)
{
	bool log_failed = m->words.on_disk && atomic_load_explicit(&m->log.failed, memory_order_relaxed);

	if (!m->words.handle_errors)
		return 0;
	if (to_all ? !log_failed : m->words.keep_log || !atomic_load_explicit(&m->leg_failed, memory_order_relaxed) || r->flags & DM_LAX)
		return 0;
	write_leave(m, r, false);
	if (mirror_holds(m) && legs_good(&m->legs) >= 0)
		return mirror_hold(m, r, NULL);
	dm_why(r->io, to_all ? "the log of the mirror has failed" : "no leg of the mirror is left");
	return -EIO;
}

/* R and its children go to all legs, or to the first one. */
static int send_children(const struct mirror *m, struct dm_req *r, bool to_all)
{
	unsigned n = to_all ? m->legs.n : 1, first = to_all ? 0 : legs_first(&m->legs), i;
	struct dm_req *c[MIRROR_LEGS];
	struct dm_io *io = r->io;

	if (dm_children(r, c, n))
		return -ENOMEM;
	set_fate(r, (to_all ? TO_ALL : 0) | n << LEFT_SHIFT);
	for (i = 0; i < n; i++)
		c[i]->which = (uint8_t)(first + i);
	for (i = 0; i < n; i++)
		dm_send(io, &m->legs.of[first + i].at, c[i]);
	return DM_HELD;
}

static int write_send(struct mirror *m, struct dm_req *r, enum region_may may)
{
	int verdict = write_stop(m, r, may == REGION_ALL);

	if (verdict)
		return verdict;
	verdict = send_children(m, r, may == REGION_ALL);
	if (verdict != DM_HELD)
		write_leave(m, r, false);
	return verdict;
}

void mirror_again(struct loop_msg *home)
{
	struct dm_req *r = container(home, struct dm_req, home);
	struct mirror *m = dm_holder(r)->priv;
	int verdict;

	dm_io_turn(r->io);
	verdict = r->verdict < 0 ? r->verdict : write_send(m, r, (enum region_may)r->verdict);
	if (verdict != DM_HELD)
		dm_go_on_here(r, verdict);
}

static int write_begin(struct mirror *m, struct dm_req *r)
{
	struct region_news news;
	enum region_may may = regions_enter(&m->regions, r, &news);

	if (may != REGION_WAITS)
		return write_send(m, r, may);
	if (news.mark)
		marks_mark(&m->log.marks, news.mark);
	return DM_HELD;
}

/* What one leg's answer adds. */
static uint32_t fate_of_child(const struct dm_req *c, int err)
{
	if (!err)
		return WRITTEN;
	if (err == DM_PUT_BACK)
		return PUT_BACK;
	if (dm_is_interrupted(err))
		return CUT_SHORT;
	return err == -EOPNOTSUPP || c->op == DM_DISCARD ? REFUSED : 1u << c->which;
}

static void legs_fail(struct mirror *m, uint32_t failed)
{
	unsigned i;

	for (i = 0; i < m->legs.n; i++)
		if (failed >> i & 1)
			mirror_leg_fails(m, i, LEG_WRITE);
}

/* Some leg has failed: what the client is told, as on Linux. */
static int failed_verdict(struct mirror *m, struct dm_req *r, struct dm_req *c, int err)
{
	if (legs_good(&m->legs) < 0)
		return err < 0 ? err : -EIO;
	if (r->flags & DM_OWN)
		return 0;		/* the suspend that it belongs to is what lets the mirror be repaired */
	return mirror_holds(m) && !(r->flags & DM_LAX) ? mirror_hold(m, r, c) : 0;
}

/* All children have ended, C with ERR as the last one. */
static int all_verdict(struct mirror *m, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t fate_now = fate(r);

	if (fate_now & PUT_BACK)
		return DM_PUT_BACK;
	if (fate_now & CUT_SHORT)
		return dm_is_interrupted(err) ? err : -EINTR;
	if (fate_now & FAILED)
		return failed_verdict(m, r, c, err);
	if (!(fate_now & REFUSED))
		return 0;
	return err < 0 && r->op != DM_DISCARD ? err : -EOPNOTSUPP;	/* as on Linux */
}

/* The legs may differ now, and no leg has failed: they are made equal at once. A discard that all refuse changes nothing. */
static bool is_torn(uint32_t fate_now, bool *copied)
{
	*copied = !(fate_now & FAILED);
	return fate_now & (FAILED | CUT_SHORT | PUT_BACK) || (fate_now & REFUSED && fate_now & WRITTEN);
}

static void write_over(struct mirror *m, struct dm_req *r)
{
	uint64_t region = region_of(&m->regions, r->sector);
	bool copied, torn = is_torn(fate(r), &copied);

	if (torn)
		mirror_differs_soon(m);
	legs_fail(m, fate(r) & FAILED);		/* before others can enter: they find another first leg, and are held */
	write_leave(m, r, torn);
	if (torn)
		mirror_differs(m);
	if (torn && copied)
		sweep_from(&m->resync.sweep, region);
}

static void flush_over(struct mirror *m, uint32_t failed)
{
	if (failed)
		mirror_flush_failed(m);
	legs_fail(m, failed);
}

static int write_child(struct mirror *m, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t now = fate(r) | fate_of_child(c, err);

	if (!(now & TO_ALL)) {
		write_leave(m, r, false);
		return err;
	}
	now -= 1u << LEFT_SHIFT;
	set_fate(r, now);
	if (now >> LEFT_SHIFT)
		return 0;
	if (r->op == DM_FLUSH)
		flush_over(m, now & FAILED);
	else
		write_over(m, r);
	return all_verdict(m, r, c, err);
}

/* --- the type's functions --------------------------------------------------------------------------------------------------- */

int mirror_map(const struct dm_target *t, struct dm_req *r)
{
	struct mirror *m = t->priv;

	if (r->op == DM_READ)
		return read_begin(m, r);
	if (r->op == DM_EXTENT)
		return dm_remap(r, &m->legs.of[legs_first(&m->legs)].at, r->sector);
	return write_begin(m, r);
}

int mirror_flush(const struct dm_target *t, struct dm_req *r)
{
	return send_children(t->priv, r, true);
}

int mirror_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	return r->op == DM_READ ? read_child(t->priv, r, c, err) : write_child(t->priv, r, c, err);
}
