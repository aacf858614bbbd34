/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an exception store is read when its first line is resumed: see cow.h. Nothing in it is believed that was not checked: who
 * has a chunk in a place where none can be, or twice, has another's store, or a damaged one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "targets/snapshot/cow.h"

#define BLOCK_BYTES 4096u

/* What is needed only while it is read. */
struct reading {
	struct cow *cow;
	struct err *err;
	uint8_t *taken;			/* a bit for each chunk of the store */
	size_t bytes;
	uint64_t chunks;
};

/* --- the header --------------------------------------------------------------------------------------------------------- */

static int bad_chunk(struct cow_bind *b, uint32_t chunk, const char *where)
{
	return err_set(b->step->err, -EINVAL, "chunks of %u sectors (%s) cannot be used on '%s': a power of two, from %u to %u, would be right", chunk,
		       where, b->cow->at.store->name, b->logical / DM_SECTOR, SNAP_MOST_CHUNK);
}

/* From here on it is known how large chunks are. */
static int cow_has_chunks(struct cow_bind *b, uint32_t chunk, const char *where)
{
	struct cow *c = b->cow;

	if (!snap_is_chunk(chunk) || chunk % (b->logical / DM_SECTOR))
		return bad_chunk(b, chunk, where);
	c->chunk = chunk;
	c->shift = (unsigned)__builtin_ctz(chunk);
	c->per_area = snap_per_area(chunk);
	c->old_chunks = (b->sectors + chunk - 1) >> c->shift;
	c->block_bytes = chunk < BLOCK_BYTES / DM_SECTOR ? chunk * DM_SECTOR : BLOCK_BYTES;
	if (c->block_bytes < b->logical)
		c->block_bytes = b->logical;
	c->block = aligned_alloc(4096, (c->block_bytes + 4095u) / 4096 * 4096);
	if (!c->block)
		return err_set(b->step->err, -ENOMEM, "no memory for a block of exceptions");
	if (c->old_chunks >> EXCEPTIONS_OLD_BITS || c->sectors >> c->shift >> EXCEPTIONS_NEW_BITS)
		return err_set(b->step->err, -EINVAL, "there are too many chunks of %u sectors; larger ones would be right", chunk);
	return exceptions_new(&c->table, c->old_chunks + COW_MORE_ROOM, b->step->err);
}

static int header_read(struct cow_bind *b, struct snap_header *h)
{
	uint32_t bytes = b->logical;
	uint8_t *sector = aligned_alloc(4096, (bytes + 4095u) / 4096 * 4096);
	int err;

	if (!sector)
		return err_set(b->step->err, -ENOMEM, "no memory for a header");
	err = clerk_read(b->cow->clerk, &b->cow->at, 0, bytes / DM_SECTOR, sector);
	if (err)
		err_set(b->step->err, err, "the header of '%s' cannot be read: %s", b->cow->at.store->name, strerror(-err));
	else
		memcpy(h, sector, sizeof(*h));
	free(sector);
	*h = (struct snap_header){ le32toh(h->magic), le32toh(h->valid), le32toh(h->version), le32toh(h->chunk) };
	return err;
}

/* --- the exceptions ----------------------------------------------------------------------------------------------------- */

static int bad_entry(const struct reading *r, uint64_t entry, const struct snap_entry *e, const char *why)
{
	return err_set(r->err, -EINVAL, "'%s' is damaged, or belongs to another origin: entry %" PRIu64 " of area %" PRIu64 " says that chunk %" PRIu64
		       " is in %" PRIu64 ", %s", r->cow->at.store->name, entry, r->cow->area, e->old_chunk, e->new_chunk, why);
}

static bool take_chunk(struct reading *r, uint64_t chunk)
{
	uint8_t bit = (uint8_t)(1u << chunk % 8), *at = &r->taken[chunk / 8];
	bool was = *at & bit;

	*at |= bit;
	return !was;
}

static int entry_read(struct reading *r, uint64_t entry)
{
	struct cow *c = r->cow;
	struct snap_entry e = cow_block_get(c, entry);
	uint64_t other;

	if (e.old_chunk >= c->old_chunks)
		return bad_entry(r, entry, &e, "and its origin ends before that");
	if (e.new_chunk >= r->chunks)
		return bad_entry(r, entry, &e, "and the store ends before that");
	if (snap_is_metadata(e.new_chunk, c->per_area))
		return bad_entry(r, entry, &e, "where the store has its own list");
	if (!take_chunk(r, e.new_chunk))
		return bad_entry(r, entry, &e, "where another one is");
	if (cow_find(c, e.old_chunk, &other))
		return bad_entry(r, entry, &e, "and an entry before it says something else");
	if (!exceptions_add(c->table, e.old_chunk, e.new_chunk))
		return err_set(r->err, -ENOMEM, "no memory for more exceptions");
	if (c->next_free <= e.new_chunk)
		c->next_free = e.new_chunk + 1;
	return 0;
}

/* One area: 1 it is full, 0 the list ends in it, or -errno and a sentence. */
static int area_read(struct reading *r)
{
	struct cow *c = r->cow;
	uint64_t i;
	int err;

	if (snap_area_chunk(c->area, c->per_area) >= r->chunks)
		return err_set(r->err, -EINVAL, "'%s' is damaged or has shrunk: its list of exceptions has no end", c->at.store->name);
	for (i = 0; i < c->per_area; i++) {
		err = cow_block_load(c, c->area, i);
		if (err)
			return err_set(r->err, err, "the exceptions in '%s' cannot be read: %s", c->at.store->name, strerror(-err));
		if (cow_block_get(c, i).new_chunk == 0)
			break;
		err = entry_read(r, i);
		if (err)
			return err;
	}
	c->committed = i;
	return i == c->per_area;
}

static int all_read(struct reading *r)
{
	struct cow *c = r->cow;
	int more;

	while ((more = area_read(r)) > 0)
		c->area++;
	if (snap_is_metadata(c->next_free, c->per_area))
		c->next_free++;
	c->zeroed = c->zeroing = c->area;
	return more;
}

static int exceptions_read(struct cow_bind *b)
{
	struct reading r = { .cow = b->cow, .err = b->step->err, .chunks = b->cow->sectors >> b->cow->shift };
	int err;

	r.bytes = r.chunks / 8 + 1;
	r.taken = mmap(NULL, r.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r.taken == MAP_FAILED)
		return err_set(b->step->err, -ENOMEM, "no memory to check the exceptions in '%s'", b->cow->at.store->name);
	err = all_read(&r);
	munmap(r.taken, r.bytes);
	return err;
}

/* --- a store that was never used ---------------------------------------------------------------------------------------- */

/* The list is empty before there is a header. */
static int store_write(struct cow_bind *b)
{
	struct cow *c = b->cow;
	int err = cow_zero_chunk(c, SNAP_FIRST_AREA);

	if (!err)
		err = cow_zero_chunk(c, 0);
	if (!err)
		err = clerk_flush(c->clerk, &c->at);
	if (!err)
		err = cow_write_header(c, true);
	return err ? err_set(b->step->err, err, "'%s' cannot be made an exception store: %s", c->at.store->name, strerror(-err)) : 0;
}

static int has_room(struct cow_bind *b)
{
	uint64_t need = b->words.persistent ? 2 : 0;

	if (b->cow->sectors >> b->cow->shift >= need)
		return 0;
	return err_set(b->step->err, -EINVAL, "'%s' has %" PRIu64 " sectors, less than the %" PRIu64 " chunks of %u sectors that a store needs at least",
		       b->cow->at.store->name, b->cow->sectors, need, b->cow->chunk);
}

/* --- both --------------------------------------------------------------------------------------------------------------- */

static uint32_t usual_chunk(const struct cow_bind *b)
{
	uint32_t block = b->logical / DM_SECTOR;

	return b->words.chunk ? b->words.chunk : block > SNAP_USUAL_CHUNK ? block : SNAP_USUAL_CHUNK;
}

static int store_new(struct cow_bind *b)
{
	int err = cow_has_chunks(b, usual_chunk(b), "in the table");

	if (!err)
		err = has_room(b);
	return err ? err : store_write(b);
}

static int store_read(struct cow_bind *b, const struct snap_header *h)
{
	struct cow *c = b->cow;
	int err;

	if (h->magic != SNAP_MAGIC)
		return err_set(b->step->err, -ENXIO, "'%s' is no exception store: it begins with 0x%08x; zeros at its beginning would make it a new one",
			       c->at.store->name, h->magic);
	if (b->words.chunk && b->words.chunk != h->chunk && snap_is_chunk(h->chunk))
		log_info("'%s' has chunks of %u sectors, and not of the %u that its table says", c->at.store->name, h->chunk, b->words.chunk);
	err = cow_has_chunks(b, h->chunk, "in the header");
	if (err)
		return err;
	if (h->version != SNAP_VERSION)
		return err_set(b->step->err, -EINVAL, "'%s' is an exception store of version %u; only version %u is known", c->at.store->name, h->version,
			       SNAP_VERSION);
	if (h->valid)
		return exceptions_read(b);
	c->told = true;
	atomic_store(&c->invalid, true);
	log_warn("the snapshot on '%s' is invalid, as its header says", c->at.store->name);
	return 0;
}

static void cow_forget(struct cow *c)
{
	exceptions_free(c->table);
	free(c->block);
	c->table = NULL;
	c->block = NULL;
	c->chunk = 0;
	c->bound = false;
}

static void cow_reset(struct cow_bind *b)
{
	struct cow *c = b->cow;

	cow_forget(c);
	atomic_store(&c->invalid, false);
	atomic_store(&c->overflowed, false);
	atomic_store(&c->merge_failed, false);
	c->words = b->words;
	c->area = c->committed = c->zeroed = c->zeroing = 0;
	c->next_free = b->words.persistent ? SNAP_FIRST_AREA + 1 : 0;
	c->shown_free = 0;
	c->block_at = UINT64_MAX;
	c->told = false;
	c->stuck = 0;
}

static void bind_over(struct cow_bind *b, int err)
{
	if (err) {
		cow_forget(b->cow);
		b->failed(b);
	} else {
		b->cow->bound = true;
	}
	dm_step_done(b->step, err);
}

static void bind_job(struct clerk *k, struct clerk_job *j)
{
	struct cow_bind *b = container(j, struct cow_bind, job);
	struct snap_header h = { 0, 0, 0, 0 };
	int err = header_read(b, &h);

	(void)k;
	if (!err)
		err = h.magic ? store_read(b, &h) : store_new(b);
	bind_over(b, err);
}

/* It comes from a program that had checked it. */
static int saved_read(struct cow_bind *b)
{
	struct cow *c = b->cow;
	uint64_t i, k;

	c->next_free = b->saved->next_free;
	atomic_store(&c->overflowed, b->saved->overflowed);
	for (i = 0; i < b->saved->runs; i++)
		for (k = 0; k < b->saved->at[i].run; k++)
			if (!exceptions_add(c->table, b->saved->at[i].old_chunk + k, b->saved->at[i].new_chunk + k))
				return err_set(b->step->err, -ENOMEM, "no memory for more exceptions");
	return 0;
}

/* It was read for another line, which may have been shorter: is there room in memory for all that this one may need? */
static void bind_again(struct cow_bind *b)
{
	struct cow *c = b->cow;
	uint64_t line = (b->sectors + c->chunk - 1) >> c->shift, store = c->sectors >> c->shift, need = line < store ? line : store;
	int err = 0;

	if (need > c->old_chunks + COW_MORE_ROOM) {
		err = err_set(b->step->err, -EINVAL, "the line has grown to %" PRIu64 " chunks, and the exceptions in '%s' were read for %" PRIu64
			      "; remove the snapshot and create it with the new table", line, c->at.store->name, c->old_chunks);
		b->failed(b);
	}
	dm_step_done(b->step, err);
}

void cow_bind(struct cow_bind *b)
{
	int err;

	cow_look(b->cow);
	if (b->cow->bound) {
		bind_again(b);
		return;
	}
	cow_reset(b);
	if (b->words.persistent) {
		b->job.run = bind_job;
		clerk_post(b->cow->clerk, &b->job);
		return;
	}
	err = cow_has_chunks(b, b->words.chunk, "in the table");
	if (!err)
		err = has_room(b);
	if (!err && b->saved)
		err = saved_read(b);
	atomic_store(&b->cow->invalid, b->lost || (b->saved && b->saved->invalid));
	bind_over(b, err);
}

void cow_unbind(struct cow *c)
{
	if (--c->users)
		return;
	cow_forget(c);
	c->origin = NULL;
}
