/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of blocks: see blocks.h. Pages of 4 KiB in one mapping, which costs nothing until it is used; those of a block
 * are a chain of numbers, so that a block of any size fits into whatever is free.
 */
#include "targets/log_writes/blocks.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/path/io.h"

#define NO_PAGE UINT32_MAX

struct block_memory {
	block_got *got;
	void *arg;
	uint32_t n;			/* pages, and as many blocks */
	uint8_t *pages;
	struct block *blocks;
	pthread_mutex_t lock;		/* guards what follows */
	uint32_t *next;			/* of each page: the next one of its block, or of the free ones */
	uint32_t free_page, free_pages;
	struct block *free_block;
	struct dm_req *first, **last;	/* those that wait, by dm_req.next; own[0] has how many pages it wants */
	atomic_uint waiting;
};

static uint32_t pages_for(size_t bytes)
{
	return (uint32_t)((bytes + BLOCK_PAGE - 1) / BLOCK_PAGE);
}

bool block_memory_short(const struct block_memory *m)
{
	return atomic_load(&m->waiting);
}

void block_memory_free(struct block_memory *m)
{
	if (!m)
		return;
	if (m->pages)
		munmap(m->pages, (size_t)m->n * BLOCK_PAGE);
	free(m->blocks);
	free(m->next);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* All is free. */
static void memory_fill(struct block_memory *m)
{
	uint32_t i;

	for (i = 0; i < m->n; i++) {
		m->next[i] = i + 1 < m->n ? i + 1 : NO_PAGE;
		m->blocks[i].next = i + 1 < m->n ? &m->blocks[i + 1] : NULL;
	}
	m->free_page = 0;
	m->free_block = m->blocks;
	m->free_pages = m->n;
}

int block_memory_new(struct block_memory **out, size_t bytes, block_got *got, void *arg, struct err *e)
{
	struct block_memory *m = calloc(1, sizeof(*m));
	void *pages;

	if (!m)
		return err_set(e, -ENOMEM, "no memory to log writes");
	m->n = pages_for(bytes);
	m->got = got;
	m->arg = arg;
	m->last = &m->first;
	pthread_mutex_init(&m->lock, NULL);
	pages = mmap(NULL, (size_t)m->n * BLOCK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m->pages = pages == MAP_FAILED ? NULL : pages;
	m->blocks = calloc(m->n, sizeof(*m->blocks));
	m->next = calloc(m->n, sizeof(*m->next));
	if (!m->pages || !m->blocks || !m->next) {
		block_memory_free(m);
		return err_set(e, -ENOMEM, "no memory for %zu bytes of writes that are not logged yet", bytes);
	}
	memory_fill(m);
	*out = m;
	return 0;
}

/* With the lock held: N pages from the free ones, or NULL. */
static struct block *memory_take(struct block_memory *m, uint32_t n)
{
	struct block *b = m->free_block;
	uint32_t first = m->free_page, last = first, i;

	if (!b || n > m->free_pages)
		return NULL;
	m->free_block = b->next;
	for (i = 1; i < n; i++)
		last = m->next[last];
	if (n) {
		m->free_page = m->next[last];
		m->next[last] = NO_PAGE;
		m->free_pages -= n;
	}
	*b = (struct block){ .page = n ? first : NO_PAGE };
	blocks_init(&b->covers);
	return b;
}

static uint32_t wanted(const struct dm_req *r)
{
	return (uint32_t)(uintptr_t)r->own[0];
}

struct block *block_take(struct block_memory *m, struct dm_req *r, size_t bytes)
{
	struct block *b = NULL;

	pthread_mutex_lock(&m->lock);
	if (!m->first)
		b = memory_take(m, pages_for(bytes));
	if (!b) {
		r->own[0] = (void *)(uintptr_t)pages_for(bytes);
		r->next = NULL;
		*m->last = r;
		m->last = &r->next;
		atomic_fetch_add(&m->waiting, 1);
	}
	pthread_mutex_unlock(&m->lock);
	return b;
}

static void memory_home(struct loop_msg *msg)
{
	struct dm_req *r = container(msg, struct dm_req, home);
	struct block_memory *m = r->own[0];

	dm_io_turn(r->io);
	m->got(m->arg, r, r->own[1]);
}

/* The first in line, if there is enough for it now, with its block in own[1]; else NULL. */
static struct dm_req *memory_serve(struct block_memory *m)
{
	struct dm_req *r;
	struct block *b;

	pthread_mutex_lock(&m->lock);
	r = m->first;
	b = r ? memory_take(m, wanted(r)) : NULL;
	if (b) {
		if (!(m->first = r->next))
			m->last = &m->first;
		atomic_fetch_sub(&m->waiting, 1);
		r->own[0] = m;
		r->own[1] = b;
	}
	pthread_mutex_unlock(&m->lock);
	return b ? r : NULL;
}

void block_give(struct block_memory *m, struct block *b)
{
	struct dm_req *r;
	uint32_t page, next;

	pthread_mutex_lock(&m->lock);
	for (page = b->page; page != NO_PAGE; page = next) {
		next = m->next[page];
		m->next[page] = m->free_page;
		m->free_page = page;
		m->free_pages++;
	}
	b->next = m->free_block;
	m->free_block = b;
	pthread_mutex_unlock(&m->lock);
	if (!block_memory_short(m))
		return;
	while ((r = memory_serve(m))) {
		r->home.run = memory_home;
		loop_post(r->io->loop, &r->home);
	}
}

/* The pages of a block are its own: no lock. */
void block_keep(struct block_memory *m, struct block *b, struct vec v, size_t bytes)
{
	uint32_t page = b->page;
	size_t n;

	for (; bytes; bytes -= n, page = m->next[page]) {
		n = bytes < BLOCK_PAGE ? bytes : BLOCK_PAGE;
		vec_get(vec_trim(v), m->pages + (size_t)page * BLOCK_PAGE, n);
		v = vec_from(v, n);
	}
}

void block_data(const struct block_memory *m, const struct block *b, size_t offset, void *to, size_t bytes)
{
	uint32_t page = b->page;
	uint8_t *out = to;
	size_t n;

	for (; offset >= BLOCK_PAGE; offset -= BLOCK_PAGE)
		page = m->next[page];
	for (; bytes; bytes -= n, out += n, offset = 0, page = m->next[page]) {
		n = BLOCK_PAGE - offset < bytes ? BLOCK_PAGE - offset : bytes;
		memcpy(out, m->pages + (size_t)page * BLOCK_PAGE + offset, n);
	}
}
