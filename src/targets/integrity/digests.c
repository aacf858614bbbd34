/* SPDX-License-Identifier: BSD-2-Clause */
/* The digests of a request: on its io thread, or, if they are slow ones of many blocks, on a worker. */
#include <endian.h>
#include <string.h>

#include "core/world.h"
#include "targets/integrity/job.h"

#define HERE_MOST 8192u			/* bytes of a slow digest that are computed on the io thread */

static void add_data(struct ihash_state *s, struct vec data, size_t n)
{
	static const uint8_t zeros[IFORMAT_BLOCK_MOST * DM_SECTOR];
	const void *first;
	size_t got;

	if (!data.iov) {
		ihash_add(s, zeros, n);
		return;
	}
	for (; n; n -= got, data = vec_from(data, got)) {
		first = vec_first(data, n, &got);
		ihash_add(s, first, got);
	}
}

void integrity_tag(const struct integrity *it, struct ihash_state *s, uint64_t sector, struct vec data, uint8_t *tag)
{
	uint8_t digest[IHASH_MOST];
	uint64_t number = htole64(sector);
	unsigned n = it->hash.size < it->f.tag_size ? it->hash.size : it->f.tag_size;

	ihash_begin(s);
	if (it->sb.flags & IFORMAT_FIXED_HMAC)
		ihash_add(s, it->sb.salt, IFORMAT_SALT);
	ihash_add(s, &number, sizeof(number));
	add_data(s, data, (size_t)it->f.block * DM_SECTOR);
	ihash_end(s, digest);
	memcpy(tag, digest, n);
	memset(tag + n, 0, it->f.tag_size - n);
}

static bool is_filler(const struct job *j, const uint8_t *tag)
{
	unsigned i;

	for (i = 0; i < j->it->f.tag_size && tag[i] == INTEGRITY_FILLER; i++)
		;
	return j->it->words.discard && i == j->it->f.tag_size;
}

static void compute(struct job *j, struct ihash_state *s)
{
	uint32_t i;

	for (i = 0; i < j->n; i++)
		integrity_tag(j->it, s, job_sector(j, i), job_block(j, i), job_tag(j, i));
}

static void verify(struct job *j, struct ihash_state *s)
{
	uint8_t right[IFORMAT_TAG_MOST];
	uint32_t i;

	for (i = 0; i < j->n && !j->wrong; i++) {
		if (job_is_found(j, i))
			continue;
		integrity_tag(j->it, s, job_sector(j, i), job_block(j, i), right);
		j->wrong = memcmp(right, job_tag(j, i), j->it->f.tag_size) && !is_filler(j, job_tag(j, i));
		j->wrong_at = i;
	}
}

static void digests_with(struct job *j, struct ihash_state *s)
{
	if (j->req->op == DM_READ)
		verify(j, s);
	else
		compute(j, s);
}

static void digests_run(struct work *w)
{
	struct job *j = container(w, struct job, work);
	struct ihash_state *s = ihash_take(&j->it->hash);

	digests_with(j, s);
	ihash_give(&j->it->hash, s);
}

static void digests_ran(struct work *w)
{
	struct job *j = container(w, struct job, work);

	dm_io_turn(j->req->io);
	j->next(j);
}

/* Nobody here computes them. */
static void tags_from_above(struct job *j)
{
	size_t bytes = (size_t)j->n * j->it->f.tag_size;

	if (j->req->flags & DM_TAGS)
		memcpy(j->tags, j->req->tags, bytes);
	else
		memset(j->tags, 0, bytes);
}

void job_digests(struct job *j, void (*next)(struct job *j))
{
	struct dm_io *io = j->req->io;

	j->next = next;
	if (!j->it->hash.kind) {
		tags_from_above(j);
		next(j);
	} else if (ihash_is_quick(&j->it->hash) || j->n * job_block_bytes(j) <= HERE_MOST) {
		digests_with(j, &j->it->hash.states[io->index]);
		next(j);
	} else {
		j->work = (struct work){ .run = digests_run, .done = digests_ran };
		dm_compute(io, &j->work, WORK_WAITED);
	}
}
