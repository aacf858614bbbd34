/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: sectors in the daemon's own memory, for tests and scratch disks. One
 * sparse mapping and a bit for each page that was written; a page without it
 * reads as zeros and costs nothing. Tables that say the same name share it; it is
 * gone with the last of them. Any thread may touch it at any time.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/words.h"
#include "core/io.h"
#include "core/world.h"

#define PAGE 4096u
#define PAGE_SECTORS (PAGE / DM_SECTOR)
#define BITS 64u

struct memory {
	struct dm_store store;
	char *key;			/* the name that tables share it by */
	uint8_t *data;
	_Atomic uint64_t *written;	/* a bit a page */
};

extern const struct dm_store_type dm_store_memory;

static bool page_written(struct memory *m, uint64_t page)
{
	return atomic_load_explicit(&m->written[page / BITS], memory_order_acquire) >> page % BITS & 1;
}

/* After the data is there: a discard that comes between then leaves either the data or zeros, never old data. */
static void page_mark(struct memory *m, uint64_t page)
{
	if (!page_written(m, page))
		atomic_fetch_or_explicit(&m->written[page / BITS], 1ull << page % BITS, memory_order_release);
}

static void page_unmark(struct memory *m, uint64_t page)
{
	atomic_fetch_and_explicit(&m->written[page / BITS], ~(1ull << page % BITS), memory_order_acq_rel);
}

/* Sectors of [SECTOR, END) that lie in SECTOR's page. */
static uint64_t in_page(uint64_t sector, uint64_t end)
{
	uint64_t next = (sector / PAGE_SECTORS + 1) * PAGE_SECTORS;

	return (next < end ? next : end) - sector;
}

static void memory_read(struct memory *m, const struct dm_req *r)
{
	uint64_t at = r->sector, end = r->sector + r->count, n;
	uint8_t *to = r->data;

	for (; at < end; at += n, to += n << DM_SECTOR_SHIFT) {
		n = in_page(at, end);
		if (page_written(m, at / PAGE_SECTORS))
			memcpy(to, m->data + (at << DM_SECTOR_SHIFT), n << DM_SECTOR_SHIFT);
		else
			memset(to, 0, n << DM_SECTOR_SHIFT);
	}
}

static void memory_write(struct memory *m, const struct dm_req *r)
{
	uint64_t page;

	memcpy(m->data + (r->sector << DM_SECTOR_SHIFT), r->data, r->count << DM_SECTOR_SHIFT);
	for (page = r->sector / PAGE_SECTORS; page * PAGE_SECTORS < r->sector + r->count; page++)
		page_mark(m, page);
}

/* Zeros that stay allocated, or the part of a page that cannot be given back. */
static void zero_sectors(struct memory *m, uint64_t sector, uint64_t n)
{
	if (page_written(m, sector / PAGE_SECTORS))
		memset(m->data + (sector << DM_SECTOR_SHIFT), 0, n << DM_SECTOR_SHIFT);
}

static void give_back(struct memory *m, uint64_t sector, uint64_t end)
{
	uint64_t page, first = sector / PAGE_SECTORS, last = end / PAGE_SECTORS;

	for (page = first; page < last; page++)
		page_unmark(m, page);
	madvise(m->data + first * PAGE, (last - first) * PAGE, MADV_DONTNEED);
}

static void memory_zero(struct memory *m, const struct dm_req *r)
{
	uint64_t at = r->sector, end = r->sector + r->count, n;

	while (at < end) {
		n = in_page(at, end);
		if (n == PAGE_SECTORS && !(r->flags & DM_KEEP)) {
			n = (end - at) / PAGE_SECTORS * PAGE_SECTORS;
			give_back(m, at, at + n);
		} else {
			zero_sectors(m, at, n);
		}
		at += n;
	}
}

static void memory_extent(struct memory *m, struct dm_req *r)
{
	uint64_t at = r->sector, end = r->sector + r->count;
	bool data = page_written(m, at / PAGE_SECTORS);

	while (at < end && page_written(m, at / PAGE_SECTORS) == data)
		at += in_page(at, end);
	r->count = at - r->sector;
	if (!data)
		r->flags |= DM_HOLE | DM_ZERO;
}

static void memory_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	struct memory *m = (struct memory *)s;

	(void)io;
	if (r->op == DM_READ)
		memory_read(m, r);
	else if (r->op == DM_WRITE)
		memory_write(m, r);
	else if (dm_op_is_range(r->op))
		memory_zero(m, r);
	else if (r->op == DM_EXTENT)
		memory_extent(m, r);
	dm_done(r, 0);
}

static uint64_t memory_size(const struct memory *m)
{
	return m->store.sectors << DM_SECTOR_SHIFT;
}

static uint64_t bitmap_size(uint64_t size)
{
	return (size / PAGE + BITS) / BITS * sizeof(uint64_t);
}

static void memory_close(struct dm_store *s)
{
	struct memory *m = (struct memory *)s;

	if (m->data)
		munmap(m->data, memory_size(m));
	if (m->written)
		munmap((void *)m->written, bitmap_size(memory_size(m)));
	free(m->key);
	free(m);
}

static void *map_sparse(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static struct memory *memory_find(struct dm_world *w, const char *key)
{
	struct list *n, *next;

	list_each(n, next, &w->stores) {
		struct dm_store *s = container(n, struct dm_store, node);

		if (s->type == &dm_store_memory && !strcmp(((struct memory *)s)->key, key))
			return (struct memory *)s;
	}
	return NULL;
}

struct wanted {
	uint64_t size, logical, physical;	/* bytes; 0 if not said */
};

static bool is_block(uint64_t n)
{
	return n >= DM_SECTOR && n <= 65536 && !(n & (n - 1));
}

static int parse_option(struct dm_store_wish *w, struct wanted *want, const char *name, const char *value)
{
	uint64_t n = 0, *to = !strcmp(name, "size") ? &want->size : !strcmp(name, "logical") ? &want->logical :
			      !strcmp(name, "physical") ? &want->physical : NULL;

	if (!to)
		return err_set(w->err, -EINVAL, "unknown option '%s' of memory; it is: %s", name, dm_store_memory.usage);
	if (words_bytes(value, &n) || n == 0 || (to == &want->size && (n % DM_SECTOR || n > INT64_MAX)))
		return err_set(w->err, -EINVAL, "%s='%s': say a size like 64M, in whole sectors of 512 bytes", name, value);
	if (to != &want->size && !is_block(n))
		return err_set(w->err, -EINVAL, "%s=%s: a block is a power of two from 512 to 65536 bytes", name, value);
	*to = n;
	return 0;
}

static int memory_share(struct dm_store_wish *w, struct memory *m, const struct wanted *want, struct dm_store **out)
{
	const struct dm_limits *l = &m->store.limits;

	if ((want->size && want->size != memory_size(m)) || (want->logical && want->logical != l->logical) ||
	    (want->physical && want->physical != l->physical))
		return err_set(w->err, -EINVAL, "memory '%s' exists already as %s", m->key, m->store.name);
	dm_store_ref(&m->store);
	*out = &m->store;
	return 0;
}

static char *memory_name(const struct memory *m, const struct wanted *want)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "memory,size=%llu", (unsigned long long)want->size);
	if (want->logical)
		text_printf(&t, ",logical=%llu", (unsigned long long)want->logical);
	if (want->physical)
		text_printf(&t, ",physical=%llu", (unsigned long long)want->physical);
	text_printf(&t, ":%s", m->key);
	return text_take(&t);
}

static int memory_fill(struct dm_store_wish *w, struct memory *m, const struct wanted *want, const char *key)
{
	uint32_t logical = want->logical ? (uint32_t)want->logical : DM_SECTOR;

	m->store.type = &dm_store_memory;
	m->store.sectors = want->size >> DM_SECTOR_SHIFT;
	m->store.limits = dm_limits_default;
	m->store.limits.logical = logical;
	m->store.limits.physical = want->physical ? (uint32_t)want->physical : logical;
	m->key = strdup(key);
	m->data = map_sparse(want->size);
	m->written = map_sparse(bitmap_size(want->size));
	m->store.name = m->key ? memory_name(m, want) : NULL;
	if (m->data && m->written && m->store.name)
		return 0;
	return err_set(w->err, -ENOMEM, "there is no address space for %llu bytes of memory '%s'",
		       (unsigned long long)want->size, key);
}

static int memory_new(struct dm_store_wish *w, const struct wanted *want, const char *key, struct dm_store **out)
{
	struct memory *m = calloc(1, sizeof(*m));
	int r = m ? memory_fill(w, m, want, key) : err_set(w->err, -ENOMEM, "no memory for memory '%s'", key);

	if (r) {
		if (m) {
			free(m->store.name);
			memory_close(&m->store);
		}
		return r;
	}
	dm_store_enter(w->world, &m->store);
	*out = &m->store;
	return 0;
}

static int memory_open(struct dm_store_wish *w, struct dm_store **out)
{
	struct wanted want = { .size = 0 };
	char name[32], value[64];
	const char *key = w->word;
	struct memory *m;
	int r = 0;

	while (!r && dm_wish_option(&key, name, value))
		r = parse_option(w, &want, name, value);
	if (r)
		return r;
	if (!*key)
		return err_set(w->err, -EINVAL, "memory needs a name behind the colon: %s", dm_store_memory.usage);
	m = memory_find(w->world, key);
	if (m)
		return memory_share(w, m, &want, out);
	if (!want.size)
		return err_set(w->err, -EINVAL, "no memory is named '%s' yet, so its size must be said: %s", key,
			       dm_store_memory.usage);
	if (want.physical && want.physical < (want.logical ? want.logical : DM_SECTOR))
		return err_set(w->err, -EINVAL, "physical=%llu is less than the logical block",
			       (unsigned long long)want.physical);
	return memory_new(w, &want, key, out);
}

const struct dm_store_type dm_store_memory = {
	.name = "memory",
	.usage = "memory,size=SIZE[,logical=BYTES][,physical=BYTES]:NAME",
	.about = "memory of the daemon, sparse, shared by NAME, gone with the last table that uses it",
	.open = memory_open,
	.close = memory_close,
	.submit = memory_submit,
};
