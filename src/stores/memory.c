/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: sectors in memory (memory_map.h), for tests and scratch disks. A page that was never written reads as zeros
 * and costs nothing. Tables with the same name share it; it is freed with the last of them. Any thread may access it at
 * any time.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/path/io.h"
#include "core/world.h"
#include "stores/block.h"
#include "stores/memory_map.h"
#include "stores/stores.h"

#define PAGE_SECTORS (MEMORY_PAGE / DM_SECTOR)

struct memory {
	struct dm_store store;
	char *key;			/* the name by which tables share it */
	struct memory_map map;
};

extern const struct dm_store_type dm_store_memory;

static uint8_t *memory_at(const struct memory *m, uint64_t sector)
{
	return m->map.data + (sector << DM_SECTOR_SHIFT);
}

/* After the data was written: a discard at the same time leaves either the data or zeros, never old data. */
static void page_mark(struct memory *m, uint64_t page)
{
	if (!memory_is_written(&m->map, page))
		atomic_fetch_or_explicit(&m->map.written[page / MEMORY_BITS], 1ull << page % MEMORY_BITS, memory_order_release);
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
		if (memory_is_written(&m->map, at / PAGE_SECTORS))
			vec_put(to, memory_at(m, at), n << DM_SECTOR_SHIFT);
		else
			vec_zero(to, n << DM_SECTOR_SHIFT);
	}
}

static void memory_write(struct memory *m, const struct dm_req *r)
{
	uint64_t page;

	vec_get(r->data, memory_at(m, r->sector), r->count << DM_SECTOR_SHIFT);
	for (page = r->sector / PAGE_SECTORS; page * PAGE_SECTORS < r->sector + r->count; page++)
		page_mark(m, page);
}

/* Zeros that stay allocated, or part of a page, which cannot be freed. */
static void zero_sectors(struct memory *m, uint64_t sector, uint64_t n)
{
	if (memory_is_written(&m->map, sector / PAGE_SECTORS))
		memset(memory_at(m, sector), 0, n << DM_SECTOR_SHIFT);
}

static void memory_zero(struct memory *m, const struct dm_req *r)
{
	uint64_t at = r->sector, end = r->sector + r->count, n;

	while (at < end) {
		n = in_page(at, end);
		if (n == PAGE_SECTORS && !(r->flags & DM_KEEP)) {
			n = (end - at) / PAGE_SECTORS * PAGE_SECTORS;
			memory_map_clear(&m->map, at / PAGE_SECTORS, (at + n) / PAGE_SECTORS);
		} else {
			zero_sectors(m, at, n);
		}
		at += n;
	}
}

static void memory_extent(struct memory *m, struct dm_req *r)
{
	uint64_t first = r->sector / PAGE_SECTORS, last = (r->sector + r->count + PAGE_SECTORS - 1) / PAGE_SECTORS;
	bool data = memory_is_written(&m->map, first);
	uint64_t reach = memory_map_reach(&m->map, first + 1, last, data) * PAGE_SECTORS - r->sector;

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

static void memory_close(struct dm_store *s)
{
	struct memory *m = (struct memory *)s;

	memory_map_free(&m->map);
	free(m->key);
	free(m);
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

static bool memory_is_any(const struct dm_store *s, const void *key)
{
	(void)key;
	return s->type == &dm_store_memory;
}

/* Does another one have the same hash? */
static bool memory_shares_hash(struct dm_world *w, const char *key)
{
	return dm_store_find(w, memory_hash(key), memory_is_any, key);
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

	if ((want->size && want->size != m->map.size) || (want->logical && want->logical != l->logical) ||
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
	int r;

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
	m->store.name = m->key ? memory_name(m, want) : NULL;
	if (!m->store.name)
		return err_set(w->err, -ENOMEM, "no memory for memory '%s'", key);
	m->map.size = want->size;
	r = memory_map_new(&m->map, key, memory_hash(key), !memory_shares_hash(w->world, key), w->err);
	if (!r || r == -ESTALE)
		return r;
	return err_set(w->err, -ENOMEM, "no address space for %llu bytes of memory '%s'", (unsigned long long)want->size, key);
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

static void memory_known_by(const struct dm_store *s, struct text *out)
{
	text_printf(out, "instance=%016llx ", (unsigned long long)((const struct memory *)s)->map.id);
}

const uint8_t *dm_memory_bytes(const struct dm_store *s)
{
	return container(s, const struct memory, store)->map.data;
}

const struct dm_store_type dm_store_memory = {
	.name = "memory",
	.usage = "memory,size=SIZE[,logical=BYTES][,physical=BYTES]:NAME",
	.about = "sparse memory of the daemon, shared by NAME, freed with the last table that uses it",
	.open = memory_open,
	.close = memory_close,
	.submit = memory_submit,
	.known_by = memory_known_by,
	.other = "was in the memory of a daemon that has ended, and what it held is lost",
};
