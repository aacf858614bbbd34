/* SPDX-License-Identifier: BSD-2-Clause */
/* See pool.h. Few sizes are enough: the kernel asks for pages up to a megabyte. */
#include "fronts/fuse/pool.h"

#include <stdlib.h>

#include "fronts/fuse/server.h"

#define POOL_IDLE_MAX (32u << 20)	/* bytes */
#define POOL_ALIGN 4096u

static const size_t pool_sizes[FUSE_POOL_SIZES] = { 16u << 10, 256u << 10, (1u << 20) + (64u << 10) };

struct fuse_pool_free {
	struct fuse_pool_free *next;
};

/* FUSE_POOL_SIZES: larger than any that is kept. */
static unsigned pool_size(size_t len)
{
	unsigned i = 0;

	while (i < FUSE_POOL_SIZES && pool_sizes[i] < len)
		i++;
	return i;
}

void *fuse_pool_take(struct fuse_pool *p, size_t len)
{
	unsigned i = pool_size(len);
	struct fuse_pool_free *f;

	if (i == FUSE_POOL_SIZES)
		return aligned_alloc(POOL_ALIGN, (len + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1));
	f = p->free[i];
	if (!f)
		return aligned_alloc(POOL_ALIGN, pool_sizes[i]);
	p->free[i] = f->next;
	p->idle -= pool_sizes[i];
	return f;
}

void fuse_pool_give(struct fuse_pool *p, void *buf, size_t len)
{
	unsigned i = pool_size(len);
	struct fuse_pool_free *f = buf;

	if (!f)
		return;
	if (i == FUSE_POOL_SIZES || p->idle + pool_sizes[i] > POOL_IDLE_MAX) {
		free(f);
		return;
	}
	f->next = p->free[i];
	p->free[i] = f;
	p->idle += pool_sizes[i];
}

struct fuse_io *fuse_pool_take_io(struct fuse_pool *p)
{
	struct fuse_io *io = p->ios;

	if (io)
		p->ios = io->next;
	else
		io = malloc(sizeof(*io));
	return io;
}

void fuse_pool_give_io(struct fuse_pool *p, struct fuse_io *io)
{
	io->next = p->ios;
	p->ios = io;
}

void fuse_pool_free(struct fuse_pool *p)
{
	struct fuse_pool_free *f;
	unsigned i;

	for (i = 0; i < FUSE_POOL_SIZES; i++)
		while ((f = p->free[i])) {
			p->free[i] = f->next;
			free(f);
		}
	while (p->ios)
		free(fuse_pool_take_io(p));
}
