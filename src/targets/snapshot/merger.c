/* SPDX-License-Identifier: BSD-2-Clause */
/* Merging in the background: see merger.h. Everything but what the clerk does happens on one io thread. */
#include "targets/snapshot/merger.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/child.h"
#include "core/world.h"

#define MERGE_MOST 32u			/* exceptions in a step */

struct merge_copy {
	struct copy copy;
	struct dm_at from, to;
	struct merger *merger;
};

struct merger {
	struct snap_line *line;
	struct cow *cow;
	struct origin *origin;
	struct dm_io *io;
	bool running;			/* control thread: it was started and has not told that it is over */
	struct dm_step *stopping;	/* who waits for that */
	atomic_bool stop;
	struct loop_msg over;

	/* The step. */
	struct clerk_job job;
	struct loop_msg msg;
	struct snap_entry entries[MERGE_MOST];
	int found;			/* of these; or -errno */
	unsigned left, at;
	uint64_t next;			/* sector of the origin that is to be kept next, of entry `at` */
	int err;
	bool mark;			/* of the origin's epoch of writes */
	struct claim claim;
	struct epoch_wait wait;
	struct merge_copy copies[MERGE_MOST];
	struct dm_req flush;

	/* What io threads look at. */
	_Atomic uint32_t closed;	/* so many of ... */
	_Atomic uint64_t chunks[MERGE_MOST];	/* ... these are being merged */
	pthread_mutex_t lock;		/* guards what follows */
	struct dm_req *held;		/* by dm_req.next */
};

static void merge_find(struct merger *m);

/* --- writes of clients -------------------------------------------------------------------------------------------------- */

static bool is_closed(struct merger *m, uint64_t chunk)
{
	uint32_t i, n = atomic_load_explicit(&m->closed, memory_order_acquire);

	for (i = 0; i < n; i++)
		if (atomic_load_explicit(&m->chunks[i], memory_order_relaxed) == chunk)
			return true;
	return false;
}

bool merger_holds(struct merger *m, struct dm_req *r, uint64_t old_chunk)
{
	bool holds;

	if (!is_closed(m, old_chunk))
		return false;
	pthread_mutex_lock(&m->lock);
	holds = is_closed(m, old_chunk);
	if (holds) {
		r->next = m->held;
		m->held = r;
	}
	pthread_mutex_unlock(&m->lock);
	if (!holds)
		dm_go_on(r, DM_PUT_BACK);	/* it has just been merged */
	return true;
}

/* The chunks of the step may be written to again: in the origin, or in the store as before. */
static void merge_open(struct merger *m)
{
	struct dm_req *r, *next;

	pthread_mutex_lock(&m->lock);
	atomic_store_explicit(&m->closed, 0, memory_order_release);
	r = m->held;
	m->held = NULL;
	pthread_mutex_unlock(&m->lock);
	for (; r; r = next) {
		next = r->next;
		dm_go_on(r, DM_PUT_BACK);
	}
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static void merge_told(struct loop_msg *msg)
{
	struct merger *m = container(msg, struct merger, over);
	struct dm_step *s = m->stopping;

	m->running = false;
	m->stopping = NULL;
	if (s)
		dm_step_done(s, 0);
}

static void merge_over(struct merger *m)
{
	m->over.run = merge_told;
	loop_post(m->origin->shared.world->loop, &m->over);
}

/* ERR: 0, there is nothing more to be merged. */
static void merge_end(struct merger *m, int err)
{
	if (err && !dm_is_interrupted(err))
		cow_fail_merge(m->cow);
	merge_over(m);
}

/* A step is over. */
static void step_end(struct merger *m, int err)
{
	merge_open(m);
	epoch_leave(m->origin->writes, m->io, m->mark);
	if (err || atomic_load(&m->stop))
		merge_end(m, err);
	else
		merge_find(m);
}

/* --- clear -------------------------------------------------------------------------------------------------------------- */

static void merge_cleared(struct loop_msg *msg)
{
	struct merger *m = container(msg, struct merger, msg);

	dm_io_turn(m->io);
	step_end(m, m->err);
}

static void job_clear(struct clerk *k, struct clerk_job *j)
{
	struct merger *m = container(j, struct merger, job);

	(void)k;
	m->err = cow_merge_clear(m->cow, (unsigned)m->found);
	m->msg.run = merge_cleared;
	loop_post(m->io->loop, &m->msg);
}

static void merge_flushed(struct dm_req *r, int err)
{
	struct merger *m = container(r, struct merger, flush);

	if (err) {
		step_end(m, err);
		return;
	}
	m->job.run = job_clear;
	clerk_post(m->cow->clerk, &m->job);
}

/* --- copy --------------------------------------------------------------------------------------------------------------- */

static void merge_copied(struct copy *c)
{
	struct merger *m = container(c, struct merge_copy, copy)->merger;

	if (c->err)
		m->err = c->err;
	if (--m->left)
		return;
	if (m->err) {
		step_end(m, m->err);
		return;
	}
	m->flush = (struct dm_req){ .op = DM_FLUSH, .done = merge_flushed };
	dm_send(m->io, &m->origin->at, &m->flush);
}

/* The origin may end within its last chunk. */
static uint64_t merge_sectors(const struct merger *m, uint64_t sector)
{
	uint64_t end = atomic_load(&m->origin->sectors);

	if (sector >= end)
		return 0;
	return end - sector < m->cow->chunk ? end - sector : m->cow->chunk;
}

static void merge_copy(struct merger *m)
{
	unsigned i, n = (unsigned)m->found;

	m->left = n;
	for (i = 0; i < n; i++) {
		struct merge_copy *c = &m->copies[i];
		uint64_t sector = m->entries[i].old_chunk << m->cow->shift;

		c->merger = m;
		c->from = (struct dm_at){ m->cow->at.store, m->entries[i].new_chunk << m->cow->shift };
		c->to = (struct dm_at){ m->origin->at.store, sector };
		c->copy = (struct copy){ .io = m->io, .done = merge_copied, .from = &c->from, .to = { &c->to }, .n_to = 1,
					 .class = COPY_BACKGROUND, .sectors = merge_sectors(m, sector) };
	}
	for (i = 0; i < n; i++)
		copy_start(m->origin->copier, &m->copies[i].copy);
}

/* --- keep --------------------------------------------------------------------------------------------------------------- */

static void merge_keep(struct merger *m);

static void merge_kept(struct claim *c, int err)
{
	struct merger *m = container(c, struct merger, claim);

	epoch_leave(m->origin->writes, m->io, c->mark);
	if (err)
		step_end(m, err);
	else
		merge_keep(m);
}

static void merge_claim(struct merger *m, uint64_t sector)
{
	m->claim.origin = m->origin;
	m->claim.io = m->io;
	m->claim.req = NULL;
	claim_begin(&m->claim);
	m->claim.sector = sector;
	m->claim.done = merge_kept;
	claim_start(&m->claim);
}

/* Goes on from where the last claim was: what is clean there needs none. */
static void merge_keep(struct merger *m)
{
	while (m->at < (unsigned)m->found) {
		uint64_t begin = m->entries[m->at].old_chunk << m->cow->shift, end = begin + merge_sectors(m, begin), clean;

		if (m->next < begin || m->next >= end)
			m->next = begin;
		clean = origin_clean(m->origin, m->next, end - m->next);
		m->next += clean;
		if (m->next < end) {
			merge_claim(m, m->next);
			return;
		}
		m->at++;
	}
	merge_copy(m);
}

/* --- close -------------------------------------------------------------------------------------------------------------- */

static void merge_closed(struct epoch_wait *w)
{
	struct merger *m = container(w, struct merger, wait);

	dm_io_turn(m->io);
	m->mark = epoch_enter(m->origin->writes, m->io);
	merge_keep(m);
}

static void merge_close(struct merger *m)
{
	int i;

	for (i = 0; i < m->found; i++)
		atomic_store_explicit(&m->chunks[i], m->entries[i].old_chunk, memory_order_relaxed);
	atomic_store_explicit(&m->closed, (uint32_t)m->found, memory_order_release);
	m->wait = (struct epoch_wait){ .done = merge_closed, .home = m->io->loop };
	epoch_wait(m->origin->writes, &m->wait);
}

/* --- find --------------------------------------------------------------------------------------------------------------- */

static void merge_found(struct loop_msg *msg)
{
	struct merger *m = container(msg, struct merger, msg);

	dm_io_turn(m->io);
	if (m->found <= 0 || atomic_load(&m->stop)) {
		merge_end(m, m->found < 0 ? m->found : 0);
		return;
	}
	m->err = 0;
	m->at = 0;
	m->next = UINT64_MAX;
	merge_close(m);
}

static void job_find(struct clerk *k, struct clerk_job *j)
{
	struct merger *m = container(j, struct merger, job);

	(void)k;
	m->found = cow_merge_next(m->cow, m->entries, MERGE_MOST);
	m->msg.run = merge_found;
	loop_post(m->io->loop, &m->msg);
}

static void merge_find(struct merger *m)
{
	m->job.run = job_find;
	clerk_post(m->cow->clerk, &m->job);
}

void merger_start(struct merger *m)
{
	if (m->running || !snap_is_valid(m->line))
		return;
	m->running = true;
	atomic_store(&m->stop, false);
	merge_find(m);
}

void merger_stop(struct merger *m, struct dm_step *s)
{
	if (!m->running) {
		dm_step_done(s, 0);
		return;
	}
	m->stopping = s;
	atomic_store(&m->stop, true);
}

int merger_new(struct merger **out, struct snap_line *l, struct err *e)
{
	struct dm_world *w = l->origin->shared.world;
	struct merger *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return err_set(e, -ENOMEM, "no memory to merge a snapshot");
	m->line = l;
	m->cow = l->cow;
	m->origin = l->origin;
	m->io = &w->io[0];
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return 0;
}

void merger_free(struct merger *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}
