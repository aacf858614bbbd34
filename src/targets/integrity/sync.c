/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the clerk does while the line is used: it makes durable what was written, for all flushes that wait at once, and keeps
 * room in the journal and among the tags. In mode J a flush is a commit of the journal; else the tags are written, and then the
 * devices are flushed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/path/held.h"
#include "core/world.h"
#include "targets/integrity/integrity.h"

/* What is to be done in one go. */
struct wishes {
	struct loop_msg *wanted, *marks;
	bool drain, commit, tags_full, clear;
};

/* --- wishes ---------------------------------------------------------------------------------------------------------------- */

/* With the lock. True: the job is to be posted, without it. */
static bool job_needed(struct integrity *it)
{
	bool post = !it->posted;

	it->posted = true;
	return post;
}

void integrity_want_sync(struct integrity *it, struct dm_req *r, bool drain)
{
	bool post;

	r->home.next = NULL;
	pthread_mutex_lock(&it->sync_lock);
	*it->last = &r->home;
	it->last = &r->home.next;
	it->drain |= drain;
	post = job_needed(it);
	pthread_mutex_unlock(&it->sync_lock);
	if (post)
		clerk_post(it->clerk, &it->sync);
}

void integrity_want_mark(struct integrity *it, struct dm_req *r)
{
	bool post;

	r->home.next = NULL;
	pthread_mutex_lock(&it->sync_lock);
	*it->last_mark = &r->home;
	it->last_mark = &r->home.next;
	post = job_needed(it);
	pthread_mutex_unlock(&it->sync_lock);
	if (post)
		clerk_post(it->clerk, &it->sync);
}

static void wish(struct integrity *it, bool *which)
{
	bool post;

	pthread_mutex_lock(&it->sync_lock);
	*which = true;
	post = job_needed(it);
	pthread_mutex_unlock(&it->sync_lock);
	if (post)
		clerk_post(it->clerk, &it->sync);
}

void integrity_journal_is_low(void *arg)
{
	struct integrity *it = arg;

	wish(it, &it->drain);
}

void integrity_tags_are_full(void *arg)
{
	struct integrity *it = arg;

	wish(it, &it->tags_full);
}

int integrity_flush(const struct dm_target *t, struct dm_req *r)
{
	struct integrity *it = t->priv;

	if (it->words.mode == 'R')
		return DM_DONE;
	integrity_want_sync(it, r, false);
	return DM_HELD;
}

/* --- clearing the bitmap ---------------------------------------------------------------------------------------------------- */

static void writes_are_over(struct epoch_wait *w)
{
	struct integrity *it = container(w, struct integrity, cleared);

	clerk_post(it->clerk, &it->clear_job);
}

static void clear_begin(struct integrity *it)
{
	if (it->clearing)
		return;
	it->clearing = true;
	ibitmap_stop_writes(it->bitmap);
	it->cleared = (struct epoch_wait){ .done = writes_are_over, .home = it->world->loop };
	epoch_wait(it->epoch, &it->cleared);
}

/* Those that were under way then are over. */
static void job_clear(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);
	uint64_t limit = atomic_load(&it->recalc_at);
	struct jring_io io;
	int err = tags_write_back(it->tags, c);

	(void)j;
	integrity_journal_io(it, &io);
	if (!err)
		err = jring_flush(&io);
	if (!err) {
		ibitmap_clear(it->bitmap, limit);
		err = ibitmap_write(it->bitmap, c, &it->meta);
	}
	if (err)
		log_warn("integrity: the bitmap on '%s' cannot be cleared: %s", it->meta.store->name, strerror(-err));
	it->clearing = false;
	if (it->ending)
		integrity_end(c, &it->hook);
}

/* --- the job ---------------------------------------------------------------------------------------------------------------- */

/* False: there are none, and the job is over. */
static bool take_wishes(struct integrity *it, struct wishes *w)
{
	bool any;

	pthread_mutex_lock(&it->sync_lock);
	*w = (struct wishes){ it->wanted, it->marks, it->drain, it->commit, it->tags_full, it->clear };
	any = w->wanted || w->marks || w->drain || w->commit || w->tags_full || w->clear;
	it->wanted = it->marks = NULL;
	it->last = &it->wanted;
	it->last_mark = &it->marks;
	it->drain = it->commit = it->tags_full = it->clear = false;
	it->posted = any;
	pthread_mutex_unlock(&it->sync_lock);
	return any;
}

static void synced_home(struct loop_msg *m)
{
	struct dm_req *r = container(m, struct dm_req, home);
	int err = r->verdict;

	dm_io_turn(r->io);
	if (r->op == DM_FLUSH)
		dm_go_on_here(r, err);
	else
		integrity_synced(r, err);
}

static void tell(struct loop_msg *wanted, int err)
{
	struct loop_msg *next;

	for (; wanted; wanted = next) {
		struct dm_req *r = container(wanted, struct dm_req, home);

		next = wanted->next;
		r->verdict = err;
		r->home.run = synced_home;
		loop_post(r->io->loop, &r->home);
	}
}

static int sync_journal(struct integrity *it, const struct wishes *w, const struct jring_io *io)
{
	int err = jring_commit(it->journal, io);

	if (!err && w->drain)
		err = jring_write_back(it->journal, io);
	if (err && w->drain)
		jring_wake(it->journal, err);
	return err;
}

/* Whoever waits for a place among the tags gets it, or an error, also if the journal has FAILED. */
static int sync_tags(struct integrity *it, const struct wishes *w, const struct jring_io *io, int failed)
{
	int err = tags_write_back(it->tags, it->clerk);

	if (failed)
		return failed;
	return err || !w->wanted ? err : jring_flush(io);
}

static void mark_all(struct integrity *it, struct loop_msg *marks)
{
	struct loop_msg *at;
	int err;

	for (at = marks; at; at = at->next)
		ibitmap_mark(it->bitmap, container(at, struct dm_req, home)->sector, container(at, struct dm_req, home)->count);
	err = ibitmap_write(it->bitmap, it->clerk, &it->meta);
	for (at = marks; at && !err; at = at->next)
		ibitmap_allow(it->bitmap, container(at, struct dm_req, home)->sector, container(at, struct dm_req, home)->count);
	integrity_is_used(it);
	tell(marks, err);
}

static void job_sync(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);
	struct jring_io io;
	struct wishes w;
	int err;

	(void)j;
	integrity_journal_io(it, &io);
	while (take_wishes(it, &w)) {
		err = 0;
		if (w.marks)
			mark_all(it, w.marks);
		if (w.clear && it->bitmap)
			clear_begin(it);
		if (it->journal && (w.wanted || w.drain || w.commit))
			err = sync_journal(it, &w, &io);
		if (w.tags_full || (!err && (w.drain || (w.wanted && !it->journal))))
			err = sync_tags(it, &w, &io, err);
		tell(w.wanted, err);
	}
}

/* --- commits after a while -------------------------------------------------------------------------------------------------- */

void integrity_is_used(struct integrity *it)
{
	if (!atomic_load_explicit(&it->armed, memory_order_relaxed) && atomic_load(&it->runs) && !atomic_exchange(&it->armed, true))
		loop_post(it->world->loop, &it->arm);
}

static void armed(struct loop_msg *m)
{
	struct integrity *it = container(m, struct integrity, arm);

	if (atomic_load(&it->runs))
		loop_timer(it->world->loop, &it->timer, (it->bitmap ? it->words.clear_ms : it->words.commit_ms) * UINT64_C(1000000));
	else
		atomic_store(&it->armed, false);
}

static void is_due(struct timer *t)
{
	struct integrity *it = container(t, struct integrity, timer);

	atomic_store(&it->armed, false);
	wish(it, it->bitmap ? &it->clear : &it->commit);
}

void integrity_sync_init(struct integrity *it)
{
	pthread_mutex_init(&it->sync_lock, NULL);
	it->last = &it->wanted;
	it->last_mark = &it->marks;
	it->sync.run = job_sync;
	it->clear_job.run = job_clear;
	it->arm.run = armed;
	timer_init(&it->timer, is_due);
}

void integrity_sync_free(struct integrity *it)
{
	pthread_mutex_destroy(&it->sync_lock);
}

void integrity_sync_resume(struct integrity *it)
{
	atomic_store(&it->runs, it->words.mode == 'J' || it->words.mode == 'B');
}

/* Control thread. A message that arms the timer may still be on its way: presuspend waits for it (integrity.c). */
void integrity_sync_presuspend(struct integrity *it)
{
	atomic_store(&it->runs, false);
	if (timer_is_on(&it->timer)) {
		timer_stop(&it->timer);
		atomic_store(&it->armed, false);
	}
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */

static int end_journal(struct integrity *it, const struct jring_io *io)
{
	int err = jring_commit(it->journal, io);

	if (!err)
		err = jring_write_back(it->journal, io);
	return err ? err : jring_clear(it->journal, io);
}

/* Tags and data are durable: the journal takes the place of the bitmap again. */
static int end_bitmap(struct integrity *it, const struct jring_io *io)
{
	struct iformat_sb sb = it->sb;
	struct seal *seal = NULL;
	int err = integrity_seal_new(it, &seal, NULL);

	if (!err)
		err = jring_write_empty(&it->f, seal, io);
	seal_free(seal);
	sb.flags &= ~(uint32_t)IFORMAT_DIRTY_BITMAP;
	return err ? err : integrity_sb_write(it, &sb, NULL);
}

/* How far recalculating has come. */
static int end_recalc(struct integrity *it)
{
	return it->sb.flags & IFORMAT_RECALCULATING && !it->bitmap ? integrity_sb_write(it, &it->sb, NULL) : 0;
}

/* Nothing is in flight any more. */
void integrity_end(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);
	struct dm_step *step = it->step;
	struct jring_io io;
	int err = 0;

	(void)j;
	it->ending = it->clearing ? step : NULL;
	if (it->ending)
		return;
	integrity_journal_io(it, &io);
	if (it->journal)
		err = end_journal(it, &io);
	if (!err)
		err = tags_write_back(it->tags, c);
	if (!err)
		err = jring_flush(&io);
	if (!err)
		err = it->bitmap ? end_bitmap(it, &io) : end_recalc(it);
	if (err && step->noflush) {	/* whoever asks so gives a disk up that does not work any more */
		log_error("integrity: tags or journal on '%s' cannot be written: %s", it->meta.store->name, strerror(-err));
		err = 0;
	}
	if (err)
		err_set(step->err, err, "tags or journal on '%s' cannot be written: %s", it->meta.store->name, strerror(-err));
	dm_step_done(step, err);
}
