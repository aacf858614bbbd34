/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How exceptions become durable: see cow.h. A flush makes durable the data of those that wait; then their entries are written,
 * and the next flush, which is for the data of those that have come meanwhile, makes these durable as well. So there is one
 * flush for all that wait, as long as there are any; the last group is written durably by itself.
 */
#include <errno.h>

#include "targets/snapshot/cow.h"

static void entry_told(struct loop_msg *m)
{
	struct cow_entry *e = container(m, struct cow_entry, msg);

	e->done(e);
}

/* The last that is done with E. */
static void entry_over(struct cow_entry *e, int err)
{
	e->err = err;
	e->msg.run = entry_told;
	loop_post(e->home, &e->msg);
}

static void entries_init(struct cow_entries *all)
{
	all->first = NULL;
	all->last = &all->first;
}

static void entries_move(struct cow_entries *to, struct cow_entries *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	entries_init(from);
}

/* In the order of their chunks in the store, in which they will be looked for and merged. */
static void entries_sort_in(struct cow_entries *all, struct cow_entry *e)
{
	struct cow_entry **at = &all->first;

	while (*at && (*at)->new_chunk < e->new_chunk)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	if (!e->next)
		all->last = &e->next;
}

/* What waits is added to ALL; false: nothing does, and the job is over if ALL is empty as well. */
static bool take_waiting(struct cow *c, struct cow_entries *all, bool last)
{
	struct cow_entry *e, *next;

	pthread_mutex_lock(&c->lock);
	e = c->waiting.first;
	entries_init(&c->waiting);
	if (!e && last)
		c->posted = false;
	pthread_mutex_unlock(&c->lock);
	if (!e)
		return false;
	for (; e; e = next) {
		next = e->next;
		entries_sort_in(all, e);
	}
	return true;
}

/* ALL are not to be exceptions, because of ERR. What the store has lost is in its header before anybody is told. */
static void entries_fail(struct cow *c, struct cow_entries *all, int err)
{
	struct cow_entry *e, *next;

	if (!dm_is_interrupted(err)) {
		cow_invalidate(c, err);
		if (!c->told)
			(void)cow_write_header(c, false);	/* a store that cannot be written to cannot be told, either */
		c->told = true;
		err = -EIO;
	}
	e = all->first;
	entries_init(all);
	for (; e; e = next) {
		next = e->next;
		entry_over(e, err);
	}
}

/* WRITTEN are durable. */
static void entries_are_made(struct cow *c, struct cow_entries *written)
{
	struct cow_entry *e = written->first, *next;

	entries_init(written);
	for (; e; e = next) {
		next = e->next;
		if (exceptions_add(c->table, e->old_chunk, e->new_chunk)) {
			entry_over(e, 0);
		} else {
			struct cow_entries one = { e, &e->next };

			e->next = NULL;
			entries_fail(c, &one, -ENOSPC);
		}
	}
}

static bool area_fits(const struct cow *c, uint64_t area, uint64_t sectors)
{
	return (snap_area_chunk(area, c->per_area) + 1) << c->shift <= sectors;
}

/* Would one more entry fill the area, and the next one is not zeroed yet? */
static bool must_wait(const struct cow *c)
{
	return c->committed + 1 == c->per_area && c->zeroed < c->area + 1;
}

/*
 * The area after the current one is zeroed in time; the next flush makes that durable. Without room for it there is none for an entry
 * that waits for that (WANTED): the device has shrunk since it was allocated.
 */
static int zero_ahead(struct cow *c, bool wanted)
{
	uint64_t next = c->area + 1, sectors;
	int err;

	pthread_mutex_lock(&c->lock);
	sectors = c->sectors;
	pthread_mutex_unlock(&c->lock);
	if (c->zeroing >= next)
		return 0;
	if (!area_fits(c, next, sectors))
		return wanted && must_wait(c) ? -ENOSPC : 0;
	err = cow_zero_chunk(c, snap_area_chunk(next, c->per_area));
	if (!err)
		c->zeroing = next;
	return err;
}

static void next_area(struct cow *c)
{
	c->committed = 0;
	pthread_mutex_lock(&c->lock);
	c->area++;
	pthread_mutex_unlock(&c->lock);
}

/*
 * Writes the entries of the first ones of COPIED that are in one block, and moves them to WRITTEN. 0 or -errno. None may be: then
 * the next flush is waited for.
 */
static int write_block(struct cow *c, struct cow_entries *copied, struct cow_entries *written, bool alone)
{
	uint64_t per_block = c->block_bytes / sizeof(struct snap_entry);
	bool any = false, end = false;
	struct cow_entry *e;
	int err = cow_block_load(c, c->area, c->committed);

	while (!err && (e = copied->first) && !end && !must_wait(c)) {
		cow_block_put(c, c->committed, (struct snap_entry){ e->old_chunk, e->new_chunk });
		end = ++c->committed % per_block == 0;
		copied->first = e->next;
		if (!copied->first)
			entries_init(copied);
		e->next = NULL;
		*written->last = e;
		written->last = &e->next;
		any = true;
	}
	if (!err && any)
		err = cow_block_write(c, alone && !copied->first ? DM_FUA : 0);
	if (!err && c->committed == c->per_area)
		next_area(c);
	return err ? err : zero_ahead(c, copied->first);
}

/* Writes what of COPIED can be written before the next flush. True: all of it is durable already. */
static bool write_all(struct cow *c, struct cow_entries *copied, struct cow_entries *written, int *err)
{
	struct cow_entries more;
	unsigned blocks = 0;
	bool alone;

	entries_init(&more);
	alone = !take_waiting(c, &more, false);
	while (!*err && copied->first) {
		const struct cow_entry *before = copied->first;

		*err = write_block(c, copied, written, alone && !blocks++);
		if (copied->first == before)
			break;
	}
	alone = alone && blocks == 1 && !copied->first;
	entries_move(copied, &more);
	return alone && !*err;
}

void cow_commit_job(struct clerk *k, struct clerk_job *j)
{
	struct cow *c = container(j, struct cow, job);
	struct cow_entries copied, written;
	int err;

	entries_init(&copied);
	entries_init(&written);
	while (take_waiting(c, &copied, !written.first && !copied.first) || copied.first || written.first) {
		if (!cow_is_valid(c) || c->stuck) {
			entries_move(&copied, &written);
			entries_fail(c, &copied, cow_is_valid(c) ? c->stuck : -EIO);
			continue;
		}
		err = clerk_flush(k, &c->at);
		if (!err) {
			c->zeroed = c->zeroing;
			entries_are_made(c, &written);
			if (write_all(c, &copied, &written, &err))
				entries_are_made(c, &written);
		}
		if (err) {
			c->stuck = err;
			entries_move(&copied, &written);
			entries_fail(c, &copied, err);
		}
	}
}
