/* SPDX-License-Identifier: BSD-2-Clause */
/* Free lists of requests, and of buffers by powers of two: see pool.h. */
#include "fronts/nbd/pool.h"

#include <stdlib.h>

#include "fronts/nbd/conn.h"

#define POOL_SHIFT	12		/* of the smallest class */
#define POOL_IDLE_MAX	(64u << 20)	/* bytes that lie idle at most */
#define POOL_REQS_MAX	4096u		/* requests that lie idle at most */

struct nbd_pool_free {
	struct nbd_pool_free *next;
};

static unsigned pool_class(size_t len)
{
	unsigned class = 0;

	while (((size_t)1 << (POOL_SHIFT + class)) < len)
		class++;
	return class;
}

void *nbd_pool_take(struct nbd_pool *p, size_t len)
{
	unsigned class = pool_class(len);
	size_t size = (size_t)1 << (POOL_SHIFT + class);
	struct nbd_pool_free *f = p->free[class];

	if (!f)
		return aligned_alloc((size_t)1 << POOL_SHIFT, size);
	p->free[class] = f->next;
	p->idle -= size;
	return f;
}

void nbd_pool_give(struct nbd_pool *p, void *buf, size_t len)
{
	unsigned class = pool_class(len);
	size_t size = (size_t)1 << (POOL_SHIFT + class);
	struct nbd_pool_free *f = buf;

	if (p->idle + size > POOL_IDLE_MAX) {
		free(buf);
		return;
	}
	f->next = p->free[class];
	p->free[class] = f;
	p->idle += size;
}

struct nbd_req *nbd_pool_take_req(struct nbd_pool *p)
{
	struct nbd_req *q = p->reqs;

	if (!q)
		return malloc(sizeof(*q));
	p->reqs = q->next;
	p->n_reqs--;
	return q;
}

void nbd_pool_give_req(struct nbd_pool *p, struct nbd_req *q)
{
	if (p->n_reqs >= POOL_REQS_MAX) {
		free(q);
		return;
	}
	q->next = p->reqs;
	p->reqs = q;
	p->n_reqs++;
}

void nbd_pool_free(struct nbd_pool *p)
{
	unsigned i;

	for (i = 0; i < NBD_POOL_CLASSES; i++) {
		struct nbd_pool_free *f, *next;

		for (f = p->free[i]; f; f = next) {
			next = f->next;
			free(f);
		}
	}
	while (p->reqs)
		free(nbd_pool_take_req(p));
}
