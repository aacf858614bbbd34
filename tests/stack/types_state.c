/* SPDX-License-Identifier: BSD-2-Clause */
/* The sample targets with two legs, with copies before writes, with commits: see types.h. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/kit/cells.h"
#include "core/path/child.h"
#include "core/kit/clerk.h"
#include "core/kit/copy.h"
#include "core/kit/epoch.h"
#include "core/path/held.h"
#include "core/kit/shared.h"
#include "core/device/step.h"
#include "stack/types.h"

static bool is_an_end(int err)
{
	return err == -ESHUTDOWN || err == -EINTR;
}

/* legs: which of them are bad outlives tables. */
static atomic_bool bad[2];
static atomic_uint committed, tried;

struct legs {
	struct dm_at at[2];
};

bool legs_first_is_good(void)
{
	return !atomic_load(&bad[0]);
}

void types_reset(void)
{
	atomic_store(&bad[0], false);
	atomic_store(&bad[1], false);
	atomic_store(&committed, 0);
	atomic_store(&tried, 0);
}

static int legs_ctr(struct dm_target *t, struct dm_args *a)
{
	struct legs *l = t->priv;

	l->at[0] = dm_arg_at(a, t->len);
	l->at[1] = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static void legs_send(const struct legs *l, struct dm_req *c, uintptr_t leg)
{
	c->own[0] = (void *)leg;
	dm_send(c->io, &l->at[leg], c);
}

/* map() and flush() */
static int legs_any(const struct dm_target *t, struct dm_req *r)
{
	const struct legs *l = t->priv;
	bool good[2] = { !atomic_load(&bad[0]), !atomic_load(&bad[1]) };
	uintptr_t leg = good[0] && good[1] ? types_random(2) : good[1];
	unsigned n = r->op == DM_READ || r->op == DM_EXTENT || !good[0] || !good[1] ? 1 : 2;
	struct dm_req *c[2];

	if (r->op == DM_EXTENT)
		return dm_remap(r, &l->at[leg], r->sector);
	if (dm_children(r, c, n))
		return -ENOMEM;
	legs_send(l, c[0], leg);
	if (n == 2)
		legs_send(l, c[1], !leg);
	return DM_HELD;
}

/* A leg that has missed a write is bad, but for the last one. */
static bool legs_lose(uintptr_t leg)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	bool lost;

	while (atomic_flag_test_and_set(&busy))
		;
	lost = !atomic_load(&bad[!leg]);
	if (lost)
		atomic_store(&bad[leg], true);
	atomic_flag_clear(&busy);
	return lost;
}

static int legs_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	uintptr_t leg = (uintptr_t)c->own[0];

	if (c->op != r->op)
		types_found("legs: a child came back as another operation");
	if (!err || is_an_end(err))
		return err;
	if (r->op != DM_READ)
		return legs_lose(leg) ? 0 : err;
	if (c->own[1] || atomic_load(&bad[!leg]))
		return err;
	c->own[1] = c;
	c->sector = r->sector;
	legs_send(t->priv, c, !leg);
	return DM_HELD;
}

const struct dm_type legs_type = {
	.name = "legs", .usage = "<device> <offset> <device> <offset>", .about = "two legs", .size = sizeof(struct legs),
	.ctr = legs_ctr, .map = legs_any, .flush = legs_any, .child = legs_child, .children = 2,
	.flush_children = 2,
};

/* cows */
#define COWS_CHUNKS 4096u

struct cows_object {
	struct dm_shared shared;
	struct cells *cells;
	struct copier *copier;
	struct epoch *epoch;
	atomic_bool copied[COWS_CHUNKS];
};

struct cows {
	struct dm_at at, copy;
	struct cows_object *object;
};

/* A write that waits for its chunk. */
struct cows_job {
	struct cell cell;
	struct copy copy;
	struct epoch_wait wait;
	struct dm_at from, to;
	struct dm_req *r;
	const struct cows *line;
};

static int cows_begin(struct dm_shared *s, struct err *e)
{
	struct cows_object *o = container(s, struct cows_object, shared);
	int r = cells_new(&o->cells, 16, e);

	r = r ? r : copier_new(&o->copier, s->world, 2, 5, e);
	return r ? r : epoch_new(&o->epoch, s->world, e);
}

static void cows_end(struct dm_shared *s)
{
	struct cows_object *o = container(s, struct cows_object, shared);

	epoch_free(o->epoch);
	copier_free(o->copier);
	cells_free(o->cells);
}

static const struct dm_shared_kind cows_kind = {
	.name = "copies", .size = sizeof(struct cows_object), .begin = cows_begin, .end = cows_end,
};

static int cows_ctr(struct dm_target *t, struct dm_args *a)
{
	struct cows *c = t->priv;
	struct dm_shared *s = NULL;

	t->chunk = COWS_CHUNK;
	c->at = dm_arg_at(a, t->len);
	c->copy = dm_arg_at(a, t->len);
	if (dm_args_may_reserve(a) && dm_shared_get(&s, &cows_kind, c->at.store, a->err))
		a->failed = true;
	c->object = s ? container(s, struct cows_object, shared) : NULL;
	return dm_args_end(a);
}

static void cows_dtr(struct dm_target *t)
{
	struct cows *c = t->priv;

	if (c->object)
		dm_shared_put(&c->object->shared);
}

/* The job is over, its chunk open or never held. */
static void cows_over(struct cows_job *j, int verdict)
{
	struct dm_req *r = j->r;

	if (verdict == DM_REMAPPED)
		dm_remap(r, &j->line->at, r->sector);
	free(j);
	dm_go_on_here(r, verdict);
}

static void cows_alone(struct epoch_wait *w)
{
	struct cows_job *j = container(w, struct cows_job, wait);

	cell_open(j->line->object->cells, &j->cell);
	cows_over(j, DM_REMAPPED);
}

/* Reads that were mapped before are waited for, as if they had gone to a place that is no longer theirs. */
static void cows_copied(struct copy *c)
{
	struct cows_job *j = container(c, struct cows_job, copy);
	struct cows_object *o = j->line->object;

	if (c->err) {
		cell_give(o->cells, &j->cell);
		cows_over(j, c->err);
		return;
	}
	atomic_store(&o->copied[j->cell.chunk], true);
	j->wait = (struct epoch_wait){ .done = cows_alone, .home = j->r->io->loop };
	epoch_wait(o->epoch, &j->wait);
}

static void cows_copy(struct cows_job *j)
{
	const struct cows *l = j->line;
	uint64_t first = j->cell.chunk * COWS_CHUNK;

	j->from = (struct dm_at){ l->at.store, l->at.offset + first };
	j->to = (struct dm_at){ l->copy.store, l->copy.offset + first };
	j->copy = (struct copy){ .io = j->r->io, .done = cows_copied, .from = &j->from, .to = { &j->to }, .n_to = 1,
				 .class = types_random(2) ? COPY_WAITED : COPY_BACKGROUND, .sectors = COWS_CHUNK };
	copy_start(l->object->copier, &j->copy);
}

static void cows_got(struct cell *c, enum cell_verdict v)
{
	struct cows_job *j = container(c, struct cows_job, cell);
	struct cows_object *o = j->line->object;

	if (v != CELL_HELD) {
		cows_over(j, v == CELL_OPEN ? DM_REMAPPED : DM_PUT_BACK);
	} else if (atomic_load(&o->copied[c->chunk])) {
		cell_open(o->cells, c);
		cows_over(j, DM_REMAPPED);
	} else {
		cows_copy(j);
	}
}

static int cows_write(const struct cows *l, struct dm_req *r)
{
	struct cows_job *j = malloc(sizeof(*j));
	int v;

	if (!j)
		return -ENOMEM;
	*j = (struct cows_job){ .cell = { .got = cows_got, .home = r->io->loop, .chunk = r->sector / COWS_CHUNK }, .r = r, .line = l };
	v = cell_take(l->object->cells, &j->cell);
	if (v != -EINPROGRESS)
		cows_got(&j->cell, (enum cell_verdict)v);
	return DM_HELD;
}

static int cows_map(const struct dm_target *t, struct dm_req *r)
{
	const struct cows *l = t->priv;
	struct dm_req *c;

	if (r->op != DM_READ)
		return r->op == DM_EXTENT || atomic_load(&l->object->copied[r->sector / COWS_CHUNK])
			? dm_remap(r, &l->at, r->sector) : cows_write(l, r);
	if (dm_children(r, &c, 1))
		return -ENOMEM;
	c->own[0] = (void *)(uintptr_t)epoch_enter(l->object->epoch, r->io);
	dm_send(r->io, &l->at, c);
	return DM_HELD;
}

static int cows_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	const struct cows *l = t->priv;

	epoch_leave(l->object->epoch, r->io, (unsigned)(uintptr_t)c->own[0]);
	return err;
}

static void cows_presuspend(struct dm_target *t, struct dm_step *s)
{
	const struct cows *l = t->priv;

	if (s->noflush)
		cells_turn_away(l->object->cells);
	dm_step_done(s, 0);
}

static void cows_resume(struct dm_target *t, struct dm_step *s)
{
	const struct cows *l = t->priv;

	cells_let_wait(l->object->cells);
	dm_step_done(s, 0);
}

const struct dm_type cows_type = {
	.name = "cows", .usage = "<device> <offset> <device> <offset>", .about = "copies first", .size = sizeof(struct cows),
	.ctr = cows_ctr, .dtr = cows_dtr, .map = cows_map, .child = cows_child, .children = 1, .presuspend = cows_presuspend, .resume = cows_resume,
};

/* commits: the record is a number, that of the commit. Lines on one record have one clerk. */
struct commits_object {
	struct dm_shared shared;
	struct clerk *clerk;
};

struct commits {
	struct dm_at meta, at;
	struct commits_object *object;
	struct clerk_job job;		/* of the hook that is running */
	struct dm_step *step;
};

unsigned commits_made(void)
{
	return atomic_load(&committed);
}

static int commits_begin(struct dm_shared *s, struct err *e)
{
	return clerk_new(&container(s, struct commits_object, shared)->clerk, s->world, s, e);
}

static void commits_end(struct dm_shared *s)
{
	clerk_free(container(s, struct commits_object, shared)->clerk);
}

static const struct dm_shared_kind commits_kind = {
	.name = "a record", .size = sizeof(struct commits_object), .begin = commits_begin, .end = commits_end,
};

static int commits_ctr(struct dm_target *t, struct dm_args *a)
{
	struct commits *c = t->priv;
	struct dm_shared *s = NULL;

	c->meta = dm_arg_at(a, 1);
	c->at = dm_arg_at(a, t->len);
	if (dm_args_may_reserve(a) && dm_shared_get(&s, &commits_kind, c->meta.store, a->err))
		a->failed = true;
	c->object = s ? container(s, struct commits_object, shared) : NULL;
	return dm_args_end(a);
}

static void commits_dtr(struct dm_target *t)
{
	struct commits *c = t->priv;

	if (c->object)
		dm_shared_put(&c->object->shared);
}

/* In a job. */
static int commit(struct clerk *clerk, const struct commits *c)
{
	unsigned record[DM_SECTOR / sizeof(unsigned)] = { atomic_fetch_add(&tried, 1) + 1 };
	int r = clerk_write(clerk, &c->meta, 0, 1, record, types_random(2) ? DM_FUA : 0);

	r = r ? r : clerk_flush(clerk, &c->meta);
	if (!r)
		atomic_store(&committed, record[0]);
	return r;
}

static void commits_flush_job(struct clerk *clerk, struct clerk_job *j)
{
	struct dm_req *r = container((void *)j, struct dm_req, own);
	const struct commits *c = r->via[r->depth]->priv;
	int err = commit(clerk, c);

	dm_go_on(r, err ? err : dm_remap(r, &c->at, 0));
}

static int commits_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct commits *c = t->priv;
	struct clerk_job *j = (void *)r->own;

	_Static_assert(sizeof(*j) <= sizeof(r->own), "a job fits into a request");
	j->run = commits_flush_job;
	clerk_post(c->object->clerk, j);
	return DM_HELD;
}

static int commits_map(const struct dm_target *t, struct dm_req *r)
{
	const struct commits *c = t->priv;

	return dm_remap(r, &c->at, r->sector);
}

static void commits_hook(struct dm_target *t, struct dm_step *s, void (*run)(struct clerk *c, struct clerk_job *j))
{
	struct commits *c = t->priv;

	c->step = s;
	c->job.run = run;
	clerk_post(c->object->clerk, &c->job);
}

static void commits_read_job(struct clerk *clerk, struct clerk_job *j)
{
	struct commits *c = container(j, struct commits, job);
	unsigned record[DM_SECTOR / sizeof(unsigned)];
	int r = clerk_read(clerk, &c->meta, 0, 1, record);

	if (!r && (record[0] < atomic_load(&committed) || record[0] > atomic_load(&tried)))
		types_found("commits: another record is there than was committed");
	dm_step_done(c->step, r);
}

static void commits_preresume(struct dm_target *t, struct dm_step *s)
{
	commits_hook(t, s, commits_read_job);
}

static void commits_write_job(struct clerk *clerk, struct clerk_job *j)
{
	struct commits *c = container(j, struct commits, job);

	dm_step_done(c->step, commit(clerk, c));
}

static void commits_postsuspend(struct dm_target *t, struct dm_step *s)
{
	commits_hook(t, s, commits_write_job);
}

const struct dm_type commits_type = {
	.name = "commits", .usage = "<device> <offset> <device> <offset>", .about = "commits", .size = sizeof(struct commits),
	.ctr = commits_ctr, .dtr = commits_dtr, .map = commits_map, .flush = commits_flush, .preresume = commits_preresume,
	.postsuspend = commits_postsuspend,
};
