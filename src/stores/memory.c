/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: sectors in the daemon's memory, for tests and scratch disks. One sparse mapping, and a bit for each page that
 * was written; a page without it reads as zeros and costs nothing. Tables with the same name share it; it is freed with
 * the last of them. Any thread may access it at any time.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/words.h"
#include "core/path/io.h"
#include "core/world.h"
#include "stores/block.h"
#include "stores/stores.h"

#define PAGE 4096u
#define PAGE_SECTORS (PAGE / DM_SECTOR)
#define BITS 64u

struct memory {
	struct dm_store store;
	char *key;			/* the name by which tables share it */
	uint8_t *data;
	_Atomic uint64_t *written;	/* one bit per page */
};

extern const struct dm_store_type dm_store_memory;

static bool page_written(struct memory *m, uint64_t page)
{
	return atomic_load_explicit(&m->written[page / BITS], memory_order_acquire) >> page % BITS & 1;
}

/* After the data was written: a discard at the same time leaves either the data or zeros, never old data. */
static void page_mark(struct memory *m, uint64_t page)
{
	if (!page_written(m, page))
		atomic_fetch_or_explicit(&m->written[page / BITS], 1ull << page % BITS, memory_order_release);
}

/* The bits of word WORD for pages FIRST up to, but not including, LAST. */
static uint64_t page_mask(uint64_t word, uint64_t first, uint64_t last)
{
	uint64_t mask = ~0ull;

	if (first > word * BITS)
		mask &= ~0ull << (first - word * BITS);
	if (last < (word + 1) * BITS)
		mask &= ~(~0ull << (last - word * BITS));
	return mask;
}

/* One word at a time: there may be very many pages, most of them never written. */
static void pages_unmark(struct memory *m, uint64_t first, uint64_t last)
{
	uint64_t word;

	for (word = first / BITS; word * BITS < last; word++)
		if (atomic_load_explicit(&m->written[word], memory_order_relaxed))
			atomic_fetch_and_explicit(&m->written[word], ~page_mask(word, first, last), memory_order_acq_rel);
}

/* The first page from FIRST on whose bit is not STATE, at most LAST. */
static uint64_t pages_reach(struct memory *m, uint64_t first, uint64_t last, bool state)
{
	uint64_t word, other;

	for (word = first / BITS; word * BITS < last; word++) {
		other = atomic_load_explicit(&m->written[word], memory_order_acquire);
		other = (state ? ~other : other) & page_mask(word, first, last);
		if (other)
			return word * BITS + (uint64_t)__builtin_ctzll(other);
	}
	return last;
}

/* Sectors of [SECTOR, END) in SECTOR's page. */
static uint64_t in_page(uint64_t sector, uint64_t end)
{
	uint64_t next = (sector / PAGE_SECTORS + 1) * PAGE_SECTORS;

	return (next < end ? next : end) - sector;
}

static void memory_read(struct memory *m, const struct dm_req *r)
{
	uint64_t at = r->sector, end = r->sector + r->count, n;
	struct vec to = r->data;

	for (; at < end; at += n, to = vec_from(to, n << DM_SECTOR_SHIFT)) {
		n = in_page(at, end);
		if (page_written(m, at / PAGE_SECTORS))
			vec_put(to, m->data + (at << DM_SECTOR_SHIFT), n << DM_SECTOR_SHIFT);
		else
			vec_zero(to, n << DM_SECTOR_SHIFT);
	}
}

static void memory_write(struct memory *m, const struct dm_req *r)
{
	uint64_t page;

	vec_get(r->data, m->data + (r->sector << DM_SECTOR_SHIFT), r->count << DM_SECTOR_SHIFT);
	for (page = r->sector / PAGE_SECTORS; page * PAGE_SECTORS < r->sector + r->count; page++)
		page_mark(m, page);
}

/* Zeros that stay allocated, or part of a page, which cannot be freed. */
static void zero_sectors(struct memory *m, uint64_t sector, uint64_t n)
{
	if (page_written(m, sector / PAGE_SECTORS))
		memset(m->data + (sector << DM_SECTOR_SHIFT), 0, n << DM_SECTOR_SHIFT);
}

static void give_back(struct memory *m, uint64_t sector, uint64_t end)
{
	uint64_t first = sector / PAGE_SECTORS, last = end / PAGE_SECTORS;
	uint64_t system = (uint64_t)sysconf(_SC_PAGESIZE);	/* may be larger than ours, and madvise() rounds up */
	bool whole = (first * PAGE | last * PAGE) % system == 0;

	pages_unmark(m, first, last);
	if (!whole || madvise(m->data + first * PAGE, (last - first) * PAGE, MADV_DONTNEED))
		memset(m->data + first * PAGE, 0, (last - first) * PAGE);	/* locked memory cannot be freed */
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
	uint64_t first = r->sector / PAGE_SECTORS, last = (r->sector + r->count + PAGE_SECTORS - 1) / PAGE_SECTORS;
	bool data = page_written(m, first);
	uint64_t reach = pages_reach(m, first + 1, last, data) * PAGE_SECTORS - r->sector;

	if (reach < r->count)
		r->count = reach;
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

/* FNV-1a. */
static uint64_t memory_hash(const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	return h;
}

static bool memory_is_same(const struct dm_store *s, const void *key)
{
	return s->type == &dm_store_memory && !strcmp(((const struct memory *)s)->key, key);
}

static struct memory *memory_find(struct dm_world *w, const char *key)
{
	return (struct memory *)dm_store_find(w, memory_hash(key), memory_is_same, key);
}

struct memory_spec {
	uint64_t size;			/* bytes; 0 if not given; so are the others */
	uint32_t logical, physical;
};

static int memory_option(struct dm_store_spec *w, struct memory_spec *want, const char *name, const char *value)
{
	if (!strcmp(name, "logical"))
		return block_parse(name, value, &want->logical, w->err);
	if (!strcmp(name, "physical"))
		return block_parse(name, value, &want->physical, w->err);
	if (strcmp(name, "size"))
		return err_set(w->err, -EINVAL, "unknown option '%s' of memory: the syntax is %s", name,
			       dm_store_memory.usage);
	if (words_bytes(value, &want->size) || want->size == 0 || want->size % DM_SECTOR || want->size > INT64_MAX)
		return err_set(w->err, -EINVAL, "size='%s': must be a number of bytes that is a multiple of 512, such "
			       "as 64M", value);
	return 0;
}

static int memory_share(struct dm_store_spec *w, struct memory *m, const struct memory_spec *want, struct dm_store **out)
{
	const struct dm_limits *l = &m->store.limits;

	if ((want->size && want->size != memory_size(m)) || (want->logical && want->logical != l->logical) ||
	    (want->physical && want->physical != l->physical))
		return err_set(w->err, -EINVAL, "memory '%s' already exists as %s", m->key, m->store.name);
	dm_store_ref(&m->store);
	*out = &m->store;
	return 0;
}

static char *memory_name(const struct memory *m, const struct memory_spec *want)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "memory,size=%llu", (unsigned long long)want->size);
	if (want->logical)
		text_printf(&t, ",logical=%u", want->logical);
	if (want->physical)
		text_printf(&t, ",physical=%u", want->physical);
	text_printf(&t, ":%s", m->key);
	return text_take(&t);
}

static int memory_fill(struct dm_store_spec *w, struct memory *m, const struct memory_spec *want, const char *key)
{
	m->store.type = &dm_store_memory;
	m->store.sectors = want->size >> DM_SECTOR_SHIFT;
	m->store.limits = dm_limits_default;
	if (block_play(&m->store.limits, want->logical, want->physical, w->err))
		return err_prefix(w->err, "memory '%.200s': ", key);
	if (want->size % m->store.limits.logical)
		return err_set(w->err, -EINVAL, "memory '%.200s': size=%llu is not a multiple of its blocks of %u "
			       "bytes", key,
			       (unsigned long long)want->size, m->store.limits.logical);
	m->key = strdup(key);
	m->data = map_sparse(want->size);
	m->written = map_sparse(bitmap_size(want->size));
	m->store.name = m->key ? memory_name(m, want) : NULL;
	if (m->data && m->written && m->store.name)
		return 0;
	return err_set(w->err, -ENOMEM, "no address space for %llu bytes of memory '%s'",
		       (unsigned long long)want->size, key);
}

static int memory_new(struct dm_store_spec *w, const struct memory_spec *want, const char *key, struct dm_store **out)
{
	struct memory *m = calloc(1, sizeof(*m));
	int r = m ? memory_fill(w, m, want, key) : err_set(w->err, -ENOMEM, "no memory for memory '%s'", key);

	if (!r && dm_store_enter(w->world, &m->store, memory_hash(key)))
		r = err_set(w->err, -ENOMEM, "no memory for memory '%s'", key);
	if (r) {
		if (m) {
			free(m->store.name);
			memory_close(&m->store);
		}
		return r;
	}
	*out = &m->store;
	return 0;
}

static int memory_open(struct dm_store_spec *w, struct dm_store **out)
{
	struct memory_spec want = { .size = 0 };
	char name[32], value[64];
	const char *key = w->word;
	struct memory *m;
	int r = 0;

	while (!r && dm_store_option(&key, name, value))
		r = memory_option(w, &want, name, value);
	if (r)
		return r;
	if (!*key)
		return err_set(w->err, -EINVAL, "memory needs a name after the colon: %s", dm_store_memory.usage);
	m = memory_find(w->world, key);
	if (m)
		return memory_share(w, m, &want, out);
	if (!want.size)
		return err_set(w->err, -EINVAL, "memory '%s' does not exist yet, so its size is required: %s", key,
			       dm_store_memory.usage);
	return memory_new(w, &want, key, out);
}

const uint8_t *dm_memory_bytes(const struct dm_store *s)
{
	return container(s, const struct memory, store)->data;
}

const struct dm_store_type dm_store_memory = {
	.name = "memory",
	.usage = "memory,size=SIZE[,logical=BYTES][,physical=BYTES]:NAME",
	.about = "sparse memory of the daemon, shared by NAME, freed with the last table that uses it",
	.open = memory_open,
	.close = memory_close,
	.submit = memory_submit,
};
