/* SPDX-License-Identifier: BSD-2-Clause */
/* Free lists of objects, and of buffers whose sizes are powers of two: see pool.h. */
#include "base/pool.h"

#include <stdlib.h>

#define POOL_SHIFT	12		/* of the smallest class */
#define POOL_ALIGN	((size_t)1 << POOL_SHIFT)
#define POOL_IDLE_LEAST	((size_t)1 << 20)	/* idle bytes allowed in one pool, at least ... */
#define POOL_IDLE_MOST	((size_t)64 << 20)	/* ... and at most */
#define POOL_OBJECTS_MOST	4096u		/* idle objects */

struct pool_free {
	struct pool_free *next;
};

/* A quarter may be idle: the rest is available to all threads. */
void pool_memory_init(struct pool_memory *m, size_t most, unsigned pools)
{
	m->budget.most = most;
	m->idle_most = most / 4 / pools;
	if (m->idle_most < POOL_IDLE_LEAST)
		m->idle_most = POOL_IDLE_LEAST;
	if (m->idle_most > POOL_IDLE_MOST)
		m->idle_most = POOL_IDLE_MOST;
}

void pool_init(struct pool *p, struct pool_memory *m, size_t object_size)
{
	*p = (struct pool){ .memory = m, .object_size = object_size };
}

static unsigned pool_class(size_t len)
{
	unsigned class = 0;

	while ((POOL_ALIGN << class) < len)
		class++;
	return class;
}

static size_t pool_size(unsigned class)
{
	return POOL_ALIGN << class;
}

static struct pool_free *pool_pop(struct pool *p, unsigned class)
{
	struct pool_free *f = p->free[class];

	if (f) {
		p->free[class] = f->next;
		p->idle -= pool_size(class);
	}
	return f;
}

static void pool_push(struct pool *p, struct pool_free *f, unsigned class)
{
	f->next = p->free[class];
	p->free[class] = f;
	p->idle += pool_size(class);
}

static struct pool_free *pool_pop_object(struct pool *p)
{
	struct pool_free *f = p->objects;

	if (f) {
		p->objects = f->next;
		p->n_objects--;
	}
	return f;
}

static void pool_push_object(struct pool *p, struct pool_free *f)
{
	f->next = p->objects;
	p->objects = f;
	p->n_objects++;
}

static void pool_release(struct pool *p, void *buf, size_t size)
{
	free(buf);
	budget_give(&p->memory->budget, size);
}

/* The buffers. */
static void pool_trim(struct pool *p)
{
	struct pool_free *f;
	unsigned class;

	for (class = 0; class < POOL_CLASSES; class++)
		while ((f = pool_pop(p, class)))
			pool_release(p, f, pool_size(class));
}

bool pool_shrink(struct pool *p)
{
	bool any = p->idle || p->objects;
	struct pool_free *f;

	pool_trim(p);
	while ((f = pool_pop_object(p)))
		pool_release(p, f, p->object_size);
	return any;
}

static void *pool_allocate(struct pool *p, size_t align, size_t size)
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

bool pool_ready(struct pool *p, size_t len)
{
	unsigned class = pool_class(len);
	void *buf;

	if (len && !p->free[class]) {
		buf = pool_allocate(p, POOL_ALIGN, pool_size(class));
		if (!buf)
			return false;
		pool_push(p, buf, class);
	}
	if (!p->objects) {
		buf = pool_allocate(p, 0, p->object_size);
		if (!buf)
			return false;
		pool_push_object(p, buf);
	}
	return !len || p->free[class];	/* allocating the object may have freed it */
}

void *pool_take(struct pool *p, size_t len)
{
	unsigned class = pool_class(len);
	void *buf = pool_pop(p, class);

	return buf ? buf : pool_allocate(p, POOL_ALIGN, pool_size(class));
}

static bool pool_starved(const struct pool *p)
{
	return atomic_load(&p->memory->starved);
}

bool pool_give(struct pool *p, void *buf, size_t len)
{
	unsigned class = pool_class(len);

	if (p->idle + pool_size(class) <= p->memory->idle_most && !pool_starved(p)) {
		pool_push(p, buf, class);
		return false;
	}
	pool_release(p, buf, pool_size(class));
	return pool_starved(p);
}

void *pool_take_object(struct pool *p)
{
	struct pool_free *f = pool_pop_object(p);

	return f ? (void *)f : pool_allocate(p, 0, p->object_size);
}

bool pool_give_object(struct pool *p, void *object)
{
	if (p->n_objects < POOL_OBJECTS_MOST && !pool_starved(p)) {
		pool_push_object(p, object);
		return false;
	}
	pool_release(p, object, p->object_size);
	return pool_starved(p);
}

void pool_free(struct pool *p)
{
	if (p->memory)
		pool_shrink(p);
}
