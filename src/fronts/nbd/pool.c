/* SPDX-License-Identifier: BSD-2-Clause */
/* Free lists of requests, and of buffers by powers of two: see pool.h. */
#include "fronts/nbd/pool.h"

#include <stdlib.h>

#include "fronts/nbd/conn.h"

#define POOL_SHIFT	12		/* of the smallest class */
#define POOL_IDLE_LEAST	((size_t)1 << 20)	/* bytes that may lie idle in one pool at least ... */
#define POOL_IDLE_MOST	((size_t)64 << 20)	/* ... and at most */
#define POOL_REQS_MAX	4096u		/* requests that lie idle at most */

struct nbd_pool_free {
	struct nbd_pool_free *next;
};

/* A quarter may lie idle: the rest is there for whoever wants it, on whichever thread. */
void nbd_memory_init(struct nbd_memory *m, size_t most, unsigned pools)
{
	m->budget.most = most;
	m->idle_most = most / 4 / pools;
	if (m->idle_most < POOL_IDLE_LEAST)
		m->idle_most = POOL_IDLE_LEAST;
	if (m->idle_most > POOL_IDLE_MOST)
		m->idle_most = POOL_IDLE_MOST;
}

static unsigned pool_class(size_t len)
{
	unsigned class = 0;

	while (((size_t)1 << (POOL_SHIFT + class)) < len)
		class++;
	return class;
}

static size_t pool_size(unsigned class)
{
	return (size_t)1 << (POOL_SHIFT + class);
}

static struct nbd_pool_free *pool_pop(struct nbd_pool *p, unsigned class)
{
	struct nbd_pool_free *f = p->free[class];

	if (f) {
		p->free[class] = f->next;
		p->idle -= pool_size(class);
	}
	return f;
}

static void pool_push(struct nbd_pool *p, struct nbd_pool_free *f, unsigned class)
{
	f->next = p->free[class];
	p->free[class] = f;
	p->idle += pool_size(class);
}

static void pool_release(struct nbd_pool *p, void *buf, size_t size)
{
	free(buf);
	budget_give(&p->memory->budget, size);
}

/* What lies idle in other sizes. */
static void pool_trim(struct nbd_pool *p)
{
	struct nbd_pool_free *f;
	unsigned class;

	for (class = 0; class < NBD_POOL_CLASSES; class++)
		while ((f = pool_pop(p, class)))
			pool_release(p, f, pool_size(class));
}

static void *pool_allocate(struct nbd_pool *p, size_t align, size_t size)
{
	struct budget *b = &p->memory->budget;
	void *buf = NULL;

	if (!budget_take(b, size)) {
		pool_trim(p);
		if (!budget_take(b, size))
			return NULL;
	}
	buf = align ? aligned_alloc(align, size) : malloc(size);
	if (!buf)
		budget_give(b, size);
	return buf;
}

bool nbd_pool_ready(struct nbd_pool *p, size_t len)
{
	unsigned class = pool_class(len);
	void *buf;

	if (len && !p->free[class]) {
		buf = pool_allocate(p, (size_t)1 << POOL_SHIFT, pool_size(class));
		if (!buf)
			return false;
		pool_push(p, buf, class);
	}
	if (!p->reqs) {
		p->reqs = pool_allocate(p, 0, sizeof(*p->reqs));
		if (!p->reqs)
			return false;
		p->reqs->next = NULL;
		p->n_reqs++;
	}
	return !len || p->free[class];	/* looking for room for the request may have taken it */
}

void *nbd_pool_take(struct nbd_pool *p, size_t len)
{
	unsigned class = pool_class(len);
	void *buf = pool_pop(p, class);

	return buf ? buf : pool_allocate(p, (size_t)1 << POOL_SHIFT, pool_size(class));
}

static bool pool_hungry(const struct nbd_pool *p)
{
	return atomic_load(&p->memory->hungry);
}

bool nbd_pool_give(struct nbd_pool *p, void *buf, size_t len)
{
	unsigned class = pool_class(len);

	if (p->idle + pool_size(class) <= p->memory->idle_most && !pool_hungry(p)) {
		pool_push(p, buf, class);
		return false;
	}
	pool_release(p, buf, pool_size(class));
	return pool_hungry(p);
}

struct nbd_req *nbd_pool_take_req(struct nbd_pool *p)
{
	struct nbd_req *q = p->reqs;

	if (!q)
		return pool_allocate(p, 0, sizeof(*q));
	p->reqs = q->next;
	p->n_reqs--;
	return q;
}

bool nbd_pool_give_req(struct nbd_pool *p, struct nbd_req *q)
{
	if (p->n_reqs >= POOL_REQS_MAX || pool_hungry(p)) {
		pool_release(p, q, sizeof(*q));
		return pool_hungry(p);
	}
	q->next = p->reqs;
	p->reqs = q;
	p->n_reqs++;
	return false;
}

void nbd_pool_free(struct nbd_pool *p)
{
	if (!p->memory)
		return;
	pool_trim(p);
	while (p->reqs) {
		struct nbd_req *q = p->reqs;

		p->reqs = q->next;
		pool_release(p, q, sizeof(*q));
	}
}
