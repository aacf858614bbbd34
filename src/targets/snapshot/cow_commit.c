/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How exceptions become durable: see cow.h. A flush makes durable the data of those that wait; then their entries are written,
 * and the next flush, which is for the data of those that have come meanwhile, makes these durable as well. So there is one
 * flush for all that wait, as long as there are any; the last group is written durably by itself.
 *
 * A commit is on one io thread, that of the first request that waits: every step is a request, and what follows when it has ended.
 * It has the clerk's place meanwhile. If it fails, it leaves that to the clerk's job.
 */
#include <errno.h>

#include "core/path/child.h"
#include "targets/snapshot/cow.h"

/* --- what waits --------------------------------------------------------------------------------------------------------- */

/* What waits is copied by now: every flush that begins from here on makes it durable. */
static void take_waiting(struct cow *c)
{
	struct cow_entries all;
	struct cow_entry *e;

	entries_init(&all);
	pthread_mutex_lock(&c->lock);
	entries_move(&all, &c->waiting);
	pthread_mutex_unlock(&c->lock);
	while ((e = entries_take(&all)))
		entries_sort_in(&c->copied, e);
}

static bool anything_waits(struct cow *c)
{
	bool any;

	pthread_mutex_lock(&c->lock);
	any = c->waiting.first;
	pthread_mutex_unlock(&c->lock);
	return any;
}

/* Is there nothing left to do? Then whoever comes next begins a commit of his own. */
static bool is_over(struct cow *c)
{
	bool over;

	pthread_mutex_lock(&c->lock);
	over = !c->copied.first && !c->written.first && !c->waiting.first;
	if (over)
		c->posted = false;
	pthread_mutex_unlock(&c->lock);
	return over;
}

/* --- failures: a job of the clerk --------------------------------------------------------------------------------------- */

/* None that waits is to be an exception. What the store has lost is in its header before anybody is told. */
static void fail_all(struct cow *c)
{
	int err = cow_is_valid(c) ? c->stuck : -EIO;
	struct cow_entries all;

	if (!dm_is_interrupted(err)) {
		cow_invalidate(c, err);
		if (!c->told)
			(void)cow_write_header(c, false);	/* a store that cannot be written to cannot be told, either */
		c->told = true;
		err = -EIO;
	}
	entries_init(&all);
	do {
		take_waiting(c);
		entries_move(&all, &c->written);
		entries_move(&all, &c->copied);
	} while (!is_over(c));
	entries_tell(NULL, &all, err);
}

static bool has_failed(const struct cow *c)
{
	return !cow_is_valid(c) || c->stuck;
}

static void commit_job(struct clerk *k, struct clerk_job *j)
{
	struct cow *c = container(j, struct cow, job);

	if (has_failed(c)) {
		fail_all(c);
		return;
	}
	clerk_lend(k);
	loop_post(c->io->loop, &c->msg);
}

static void commit_failed(struct cow *c, int err)
{
	if (err)
		c->stuck = err;
	clerk_return(c->clerk);
	clerk_post(c->clerk, &c->job);
}

/* --- requests ----------------------------------------------------------------------------------------------------------- */

static void commit_answered(struct dm_req *r, int err)
{
	struct cow *c = container(r, struct cow, req);

	if (err)
		commit_failed(c, err);
	else
		c->then(c);
}

static void commit_send(struct cow *c, struct dm_req what, void *data, void (*then)(struct cow *c))
{
	c->req = what;
	c->req.done = commit_answered;
	if (data)
		dm_req_buffer(&c->req, data, what.count << DM_SECTOR_SHIFT);
	c->then = then;
	dm_io_turn(c->io);
	dm_send(c->io, &c->at, &c->req);
}

static void block_send(struct cow *c, enum dm_op op, uint32_t flags, uint64_t block, void (*then)(struct cow *c))
{
	commit_send(c, (struct dm_req){ .op = op, .flags = flags, .sector = cow_block_sector(c, block), .count = c->block_bytes / DM_SECTOR },
		    c->block, then);
}

/* --- a round: a flush, then entries ------------------------------------------------------------------------------------- */

static void commit_round(struct cow *c);

/* So that a store which answers at once makes no recursion, and others have their turn. */
static void later(struct cow *c, void (*then)(struct cow *c))
{
	c->then = then;
	loop_defer(c->io->loop, &c->step);
}

/* The written ones are durable. MADE: they are still to be told. False: there is no room in memory for another one. */
static bool written_are_made(struct cow *c, struct cow_entries *made)
{
	struct cow_entry *e;

	entries_init(made);
	while ((e = c->written.first)) {
		if (!exceptions_add(c->table, e->old_chunk, e->new_chunk))
			return false;
		entries_add(made, entries_take(&c->written));
	}
	return true;
}

/* The written ones are durable, and these alone may have kept the store: they are told when it is not needed any more. */
static void round_over(struct cow *c)
{
	struct dm_io *io = c->io;
	struct cow_entries made;

	if (!written_are_made(c, &made))
		commit_failed(c, -ENOSPC);
	else if (is_over(c))
		clerk_return(c->clerk);
	else
		later(c, commit_round);
	entries_tell(io, &made, 0);
}

/* --- the next area ------------------------------------------------------------------------------------------------------ */

static void write_entries(struct cow *c);

static bool area_fits(struct cow *c, uint64_t area)
{
	uint64_t sectors;

	pthread_mutex_lock(&c->lock);
	sectors = c->sectors;
	pthread_mutex_unlock(&c->lock);
	return (snap_area_chunk(area, c->per_area) + 1) << c->shift <= sectors;
}

/* Would one more entry fill the area, and the next one is not zeroed yet? */
static bool must_wait(const struct cow *c)
{
	return c->committed + 1 == c->per_area && c->zeroed < c->area + 1;
}

static void next_area(struct cow *c)
{
	c->committed = 0;
	pthread_mutex_lock(&c->lock);
	c->area++;
	pthread_mutex_unlock(&c->lock);
}

static void block_over(struct cow *c)
{
	if (c->alone)
		round_over(c);
	else
		write_entries(c);
}

static void zero_more(struct cow *c);

static void zero_later(struct cow *c)
{
	later(c, zero_more);
}

static void zero_more(struct cow *c)
{
	uint64_t next = c->area + 1, left = c->chunk - c->zero_at, n = left < COW_ZERO_SECTORS ? left : COW_ZERO_SECTORS;
	uint64_t sector = (snap_area_chunk(next, c->per_area) << c->shift) + c->zero_at;

	if (!left) {
		c->zeroing = next;
		block_over(c);
		return;
	}
	c->zero_at += n;
	commit_send(c, (struct dm_req){ .op = DM_WRITE, .sector = sector, .count = n }, (void *)(uintptr_t)cow_zeros, zero_later);
}

/*
 * The area after the current one is zeroed in time; the next flush makes that durable. Without room for it there is none for an entry
 * that waits for that: the device has shrunk since it was allocated.
 */
static void zero_ahead(struct cow *c)
{
	if (c->zeroing < c->area + 1 && area_fits(c, c->area + 1)) {
		c->zero_at = 0;
		zero_more(c);
	} else if (c->zeroing < c->area + 1 && c->copied.first && must_wait(c)) {
		commit_failed(c, -ENOSPC);
	} else {
		block_over(c);
	}
}

/* --- a block of entries ------------------------------------------------------------------------------------------------- */

static void block_written(struct cow *c)
{
	if (c->committed == c->per_area)
		next_area(c);
	zero_ahead(c);
}

/* The entries of the first copied ones go to the block, which is in memory. */
static void block_put(struct cow *c)
{
	uint64_t per_block = c->block_bytes / sizeof(struct snap_entry);
	struct cow_entry *e;

	do {
		e = entries_take(&c->copied);
		cow_block_put(c, c->committed, (struct snap_entry){ e->old_chunk, e->new_chunk });
		entries_add(&c->written, e);
	} while (++c->committed % per_block && c->copied.first && !must_wait(c));
	c->alone = c->alone && !c->copied.first;
	block_send(c, DM_WRITE, c->alone ? DM_FUA : 0, c->block_at, block_written);
}

static void block_loaded(struct cow *c)
{
	c->block_at = cow_block_of(c, c->area, c->committed);
	block_put(c);
}

static void block_load(struct cow *c)
{
	uint64_t block = cow_block_of(c, c->area, c->committed);

	if (block == c->block_at) {
		block_put(c);
		return;
	}
	c->block_at = UINT64_MAX;
	block_send(c, DM_READ, 0, block, block_loaded);
}

/* Those that can be written before the next flush. */
static void write_entries(struct cow *c)
{
	if (!c->copied.first || (must_wait(c) && c->zeroing > c->area)) {
		later(c, commit_round);
	} else if (must_wait(c)) {
		c->alone = false;
		zero_ahead(c);
	} else {
		block_load(c);
	}
}

static void flushed(struct cow *c)
{
	struct cow_entries made;
	bool room;

	c->zeroed = c->zeroing;
	if (!c->copied.first) {
		round_over(c);
		return;
	}
	room = written_are_made(c, &made);
	entries_tell(c->io, &made, 0);
	c->alone = !anything_waits(c);
	if (room)
		write_entries(c);
	else
		commit_failed(c, -ENOSPC);
}

static void commit_round(struct cow *c)
{
	take_waiting(c);
	if (has_failed(c))
		commit_failed(c, 0);
	else
		commit_send(c, (struct dm_req){ .op = DM_FLUSH }, NULL, flushed);
}

/* --- the beginning ------------------------------------------------------------------------------------------------------ */

static void commit_step(struct loop_work *w)
{
	struct cow *c = container(w, struct cow, step);

	c->then(c);
}

static void commit_lent(struct loop_msg *m)
{
	commit_round(container(m, struct cow, msg));
}

static void commit_begin(struct cow *c)
{
	if (clerk_borrow(c->clerk))
		commit_round(c);
	else
		clerk_post(c->clerk, &c->job);
}

void cow_commit_init(struct cow *c)
{
	entries_init(&c->waiting);
	entries_init(&c->copied);
	entries_init(&c->written);
	c->job.run = commit_job;
	c->msg.run = commit_lent;
	c->step.run = commit_step;
	list_init(&c->step.node);
}

void cow_commit(struct cow *c, struct cow_entry *e)
{
	bool begin;

	pthread_mutex_lock(&c->lock);
	entries_add(&c->waiting, e);
	begin = !c->posted;
	c->posted = true;
	pthread_mutex_unlock(&c->lock);
	if (!begin)
		return;
	c->io = e->io;
	later(c, commit_begin);
}
