/* SPDX-License-Identifier: BSD-2-Clause */
/* The sample targets that hold, put back, take a part, compute: see types.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "core/path/child.h"
#include "core/kit/compute.h"
#include "core/path/held.h"
#include "core/device/step.h"
#include "core/table/store.h"
#include "stack/types.h"

static int one_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

/* holds */
static int holds_any(const struct dm_at *at, struct dm_req *r)
{
	int verdict = dm_remap(r, at, r->op == DM_FLUSH ? 0 : r->sector);

	if (types_random(4))
		return verdict;
	if (types_random(4))
		elsewhere_go_on(r, verdict);
	else
		dm_go_on_here(r, verdict);
	return DM_HELD;
}

static int holds_map(const struct dm_target *t, struct dm_req *r)
{
	return holds_any(t->priv, r);
}

const struct dm_type holds_type = {
	.name = "holds", .usage = "<device> <offset>", .about = "holds", .size = sizeof(struct dm_at), .ctr = one_ctr,
	.map = holds_map,
};

/* bites */
static int bites_map(const struct dm_target *t, struct dm_req *r)
{
	if (r->count > 3) {
		r->count = 3;
		return DM_PART;
	}
	return dm_remap(r, t->priv, r->sector);
}

const struct dm_type bites_type = {
	.name = "bites", .usage = "<device> <offset>", .about = "bites", .size = sizeof(struct dm_at), .ctr = one_ctr,
	.map = bites_map,
};

/* backs: what it keeps is under its lock, with the line in own[0]; `running` lines are known to the control thread. */
struct backs {
	struct dm_at at;
	pthread_mutex_t lock;
	struct dm_req *kept;
	bool stopped;
	struct list running;
};

static atomic_bool may_keep;
static struct list all_running = { &all_running, &all_running };

static int backs_ctr(struct dm_target *t, struct dm_args *a)
{
	struct backs *b = t->priv;

	pthread_mutex_init(&b->lock, NULL);
	list_init(&b->running);
	b->stopped = true;
	return one_ctr(t, a);
}

static void backs_dtr(struct dm_target *t)
{
	struct backs *b = t->priv;

	if (b->kept)
		types_found("backs: a request is kept at the end");
	list_remove(&b->running);
	pthread_mutex_destroy(&b->lock);
}

static bool backs_keeps(struct backs *b, struct dm_req *r)
{
	bool keeps;

	pthread_mutex_lock(&b->lock);
	keeps = !b->stopped && atomic_load(&may_keep);
	if (keeps) {
		r->next = b->kept;
		b->kept = r;
	}
	pthread_mutex_unlock(&b->lock);
	return keeps;
}

/* map() and flush() */
static int backs_any(const struct dm_target *t, struct dm_req *r)
{
	struct backs *b = t->priv;
	unsigned dice = types_random(32);

	if (dice == 0)
		return DM_PUT_BACK;
	if (dice < 4 && backs_keeps(b, r))
		return DM_HELD;
	return holds_any(&b->at, r);
}

static void backs_empty(struct backs *b, bool stop, bool back)
{
	struct dm_req *r, *next;

	pthread_mutex_lock(&b->lock);
	r = b->kept;
	b->kept = NULL;
	b->stopped = b->stopped || stop;
	pthread_mutex_unlock(&b->lock);
	for (; r; r = next) {
		next = r->next;
		dm_go_on(r, back ? DM_PUT_BACK : dm_remap(r, &b->at, r->op == DM_FLUSH ? 0 : r->sector));
	}
}

void backs_let_go(void)
{
	struct list *n, *next;

	list_each(n, next, &all_running)
		backs_empty(container(n, struct backs, running), false, types_random(4) == 0);
}

void backs_may_keep(bool may)
{
	atomic_store(&may_keep, may);
	backs_let_go();
}

static void step_over(struct dm_step *s)
{
	if (types_random(2))
		elsewhere_step(s, 0);
	else
		dm_step_done(s, 0);
}

static void backs_presuspend(struct dm_target *t, struct dm_step *s)
{
	struct backs *b = t->priv;

	list_remove(&b->running);
	backs_empty(b, true, s->noflush);
	step_over(s);
}

static void backs_resume(struct dm_target *t, struct dm_step *s)
{
	struct backs *b = t->priv;

	pthread_mutex_lock(&b->lock);
	b->stopped = false;
	pthread_mutex_unlock(&b->lock);
	list_append(&all_running, &b->running);
	step_over(s);
}

static void backs_preresume(struct dm_target *t, struct dm_step *s)
{
	(void)t;
	if (types_random(8))
		step_over(s);
	else
		elsewhere_step(s, -EIO);
}

const struct dm_type backs_type = {
	.name = "backs", .usage = "<device> <offset>", .about = "puts back", .size = sizeof(struct backs), .ctr = backs_ctr,
	.dtr = backs_dtr, .map = backs_any, .flush = backs_any, .preresume = backs_preresume, .resume = backs_resume,
	.presuspend = backs_presuspend,
};

/* xors: one job a request, in whose memory a write has its bytes. */
struct xors_job {
	struct work work;
	struct dm_req *r, *child;
	const struct dm_target *target;
	size_t n;
	uint8_t bytes[];
};

static int xors_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	if (dm_args_may_reserve(a) && dm_compute_begin(dm_args_world(a), a->err))
		a->failed = true;
	return dm_args_end(a);
}

static void xors_run(struct work *w)
{
	struct xors_job *j = container(w, struct xors_job, work);
	size_t i;

	vec_get(j->r->data, j->bytes, j->n);
	for (i = 0; i < j->n; i++)
		j->bytes[i] ^= 0x5a;
	if (j->r->op == DM_READ)
		vec_put(j->r->data, j->bytes, j->n);
}

/* A read has been read, a write may be written. */
static void xors_done(struct work *w)
{
	struct xors_job *j = container(w, struct xors_job, work);
	struct dm_req *c = j->child;

	if (j->r->op == DM_READ) {
		free(j);
		dm_child_end(c, 0);
		return;
	}
	dm_req_buffer(c, j->bytes, j->n);
	dm_send(c->io, j->target->priv, c);
}

static int xors_map(const struct dm_target *t, struct dm_req *r)
{
	size_t n = r->count * DM_SECTOR;
	struct xors_job *j;
	struct dm_req *c;

	if (r->op != DM_READ && r->op != DM_WRITE)
		return dm_remap(r, t->priv, r->sector);
	j = malloc(sizeof(*j) + n);
	if (!j || dm_children(r, &c, 1)) {
		free(j);
		return -ENOMEM;
	}
	*j = (struct xors_job){ .work = { .run = xors_run, .done = xors_done }, .r = r, .child = c, .target = t, .n = n };
	c->own[0] = j;
	if (r->op == DM_READ)
		dm_send(c->io, t->priv, c);
	else
		dm_compute(c->io, &j->work, WORK_WAITED);
	return DM_HELD;
}

static int xors_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	struct xors_job *j = c->own[0];

	(void)t;
	if (r->op == DM_READ && !err) {
		dm_compute(c->io, &j->work, types_random(2) ? WORK_WAITED : WORK_BACKGROUND);
		return DM_HELD;
	}
	free(j);
	return err;
}

const struct dm_type xors_type = {
	.name = "xors", .usage = "<device> <offset>", .about = "computes", .size = sizeof(struct dm_at), .ctr = xors_ctr,
	.map = xors_map, .child = xors_child, .children = 1,
};
