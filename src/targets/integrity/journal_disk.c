/* SPDX-License-Identifier: BSD-2-Clause */
/* What the clerk does for a journal: commits, and writes back. See journal.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/integrity/journal.h"

int jring_flush(const struct jring_io *io)
{
	int err = clerk_flush(io->clerk, io->meta);

	return !err && io->data->store != io->meta->store ? clerk_flush(io->clerk, io->data) : err;
}

/* --- sections ------------------------------------------------------------------------------------------------------------- */

/* With its commit ids. */
static int section_write(const struct iformat *f, struct seal *seal, const struct jring_io *io, uint32_t section, unsigned seq, uint8_t *bytes)
{
	uint32_t i;
	uint64_t id;

	for (i = 0; i < f->section_sectors; i++) {
		id = seal_commit_id(seal, section, i, seq);
		memcpy(bytes + (size_t)i * DM_SECTOR + IFORMAT_SECTOR_DATA, &id, sizeof(id));
	}
	return clerk_write(io->clerk, io->meta, IFORMAT_SB_SECTORS + (uint64_t)section * f->section_sectors, f->section_sectors,
			   seal_close(seal, section, bytes), 0);
}

static void section_clear(const struct iformat *f, uint8_t *bytes)
{
	unsigned i;

	memset(bytes, 0, (size_t)f->section_sectors * DM_SECTOR);
	for (i = 0; i < f->per_section; i++)
		iformat_entry_clear(iformat_entry(f, bytes, i));
}

int jring_write_empty(const struct iformat *f, struct seal *seal, const struct jring_io *io)
{
	uint8_t *bytes = aligned_alloc(DM_SECTOR, (size_t)f->section_sectors * DM_SECTOR);
	int err = bytes ? 0 : -ENOMEM;
	uint32_t s;

	if (bytes)
		section_clear(f, bytes);
	for (s = 0; s < f->sections && !err; s++)
		err = section_write(f, seal, io, s, 0, bytes);
	free(bytes);
	return err ? err : clerk_flush(io->clerk, io->meta);
}

int jring_init(struct jring *j, const struct jring_io *io, uint32_t first, uint32_t n, unsigned seq)
{
	uint32_t i, s = first;
	int err = 0;

	for (i = 0; i < n && !err; i++, s = jring_next(j, s)) {
		section_clear(j->f, jring_section(j, s));
		err = section_write(j->f, j->seal, io, s, seq, jring_section(j, s));
	}
	return err || !n ? err : clerk_flush(io->clerk, io->meta);
}

int jring_format(struct jring *j, const struct jring_io *io)
{
	int err = jring_init(j, io, 0, j->f->sections, 0);

	jring_begin_at(j, 0, 1);
	return err;
}

int jring_clear(struct jring *j, const struct jring_io *io)
{
	uint32_t s = j->fill;
	int err;

	if (!j->used)
		return 0;
	err = jring_init(j, io, s, j->f->sections - s, j->seq);
	if (!err)
		err = jring_init(j, io, 0, s, (j->seq + 1) % IFORMAT_COMMITS);
	if (!err)
		jring_begin_at(j, s, (j->seq + 1) % IFORMAT_COMMITS);
	return err;
}

/* --- a commit ------------------------------------------------------------------------------------------------------------- */

/* With the lock: what is open is closed, from *FIRST on. Returns how many sections that are, when their data are there. */
static uint32_t close_sections(struct jring *j, uint32_t *first)
{
	uint32_t n = j->n_open, i, s;

	*first = s = j->first_open;
	if (j->fill_entry) {
		j->free -= j->f->per_section - j->fill_entry;
		j->fill_entry = 0;
		j->fill = jring_next(j, j->fill);
	}
	j->first_open = j->fill;
	j->n_open = 0;
	for (i = 0; i < n; i++, s = jring_next(j, s))
		while (j->copying[s])
			pthread_cond_wait(&j->copied, &j->lock);
	return n;
}

static int sections_write(struct jring *j, const struct jring_io *io, uint32_t first, uint32_t n)
{
	uint32_t s = first, i;
	int err = 0;

	for (i = 0; i < n && !err; i++, s = jring_next(j, s)) {
		err = section_write(j->f, j->seal, io, s, j->seq, jring_section(j, s));
		if (s + 1 == j->f->sections)
			j->seq = (j->seq + 1) % IFORMAT_COMMITS;
	}
	return err ? err : clerk_flush(io->clerk, io->meta);
}

/* They are as open as before; the next commit begins with them. */
static void sections_open_again(struct jring *j, uint32_t first, uint32_t n, unsigned seq)
{
	pthread_mutex_lock(&j->lock);
	j->first_open = first;
	j->n_open += n;
	pthread_mutex_unlock(&j->lock);
	j->seq = seq;
}

static void sections_are(struct jring *j, uint32_t first, uint32_t n, enum section_state state)
{
	for (; n; n--, first = jring_next(j, first))
		j->state[first] = (uint8_t)state;
}

int jring_commit(struct jring *j, const struct jring_io *io)
{
	unsigned seq = j->seq;
	uint32_t first, n;
	int err;

	pthread_mutex_lock(&j->lock);
	n = close_sections(j, &first);
	pthread_mutex_unlock(&j->lock);
	if (!n)
		return 0;
	err = sections_write(j, io, first, n);
	if (err) {
		sections_open_again(j, first, n, seq);
		return err;
	}
	pthread_mutex_lock(&j->lock);
	sections_are(j, first, n, SECTION_COMMITTED);
	pthread_mutex_unlock(&j->lock);
	return 0;
}

/* --- writing back --------------------------------------------------------------------------------------------------------- */

static int by_block(const void *a, const void *b, void *arg)
{
	const struct jring *j = arg;
	uint64_t x = j->block[*(const uint32_t *)a], y = j->block[*(const uint32_t *)b];

	return x < y ? -1 : x > y;
}

/* How many of the N entries of LIST, one block behind the other in one area, are written at once. */
static uint32_t run_length(const struct jring *j, const uint32_t *list, uint32_t n)
{
	uint64_t first = j->block[list[0]], most = iformat_in_area(j->f, first * j->f->block) / j->f->block;
	uint32_t i;

	if (most > JRING_RUN / DM_SECTOR / j->f->block)
		most = JRING_RUN / DM_SECTOR / j->f->block;
	if (most > JRING_RUN / j->f->tag_size)
		most = JRING_RUN / j->f->tag_size;
	for (i = 1; i < n && i < most && j->block[list[i]] == first + i; i++)
		;
	return i;
}

static int run_write(struct jring *j, const struct jring_io *io, const uint32_t *list, uint32_t n)
{
	uint64_t sector = j->block[list[0]] * j->f->block;
	uint32_t i;
	int err;

	for (i = 0; i < n; i++) {
		struct iovec to = { j->run + (size_t)i * j->f->block * DM_SECTOR, (size_t)j->f->block * DM_SECTOR };

		jring_entry_get(j, list[i], (struct vec){ &to, 0 });
		memcpy(j->run_tags + (size_t)i * j->f->tag_size, iformat_entry_tag(j->f, jring_entry(j, list[i])), j->f->tag_size);
	}
	err = clerk_write(io->clerk, io->data, iformat_data(j->f, sector), (uint64_t)n * j->f->block, j->run, 0);
	return err ? err : tags_write(io->tags, io->clerk, iformat_tag(j->f, sector), (size_t)n * j->f->tag_size, j->run_tags);
}

int jring_write_entries(struct jring *j, const struct jring_io *io, uint32_t n)
{
	uint32_t i, len;
	int err = 0;

	qsort_r(j->list, n, sizeof(*j->list), by_block, j);
	for (i = 0; i < n && !err; i += len) {
		len = run_length(j, j->list + i, n - i);
		err = run_write(j, io, j->list + i, len);
	}
	if (!err)
		err = tags_write_back(io->tags, io->clerk);
	return err ? err : jring_flush(io);
}

/* With the lock: is there a newer one that is committed as well? */
static bool is_replaced(const struct jring *j, uint32_t e)
{
	return j->newer[e] != JRING_NONE && j->state[j->newer[e] / j->f->per_section] == SECTION_COMMITTED;
}

/* With the lock: entries of sections that are committed go into the list, from FIRST on. *N: sections. */
static uint32_t list_entries(struct jring *j, uint32_t *first, uint32_t *sections)
{
	uint32_t s = j->oldest, i, e, n = 0;

	for (i = 0; i < j->f->sections && j->state[s] == SECTION_WRITTEN; i++)
		s = jring_next(j, s);
	*first = s;
	*sections = 0;
	for (; i < j->f->sections && j->state[s] == SECTION_COMMITTED; i++, s = jring_next(j, s), ++*sections)
		for (e = s * j->f->per_section; e < (s + 1) * j->f->per_section; e++)
			if (j->block[e] != UINT64_MAX && !is_replaced(j, e))
				j->list[n++] = e;
	return n;
}

int jring_write_back(struct jring *j, const struct jring_io *io)
{
	uint32_t first, sections, n;
	int err;

	pthread_mutex_lock(&j->lock);
	n = list_entries(j, &first, &sections);
	pthread_mutex_unlock(&j->lock);
	err = sections ? jring_write_entries(j, io, n) : 0;
	if (err || !sections)
		return err;
	pthread_mutex_lock(&j->lock);
	sections_are(j, first, sections, SECTION_WRITTEN);
	jring_free_sections(j);
	pthread_mutex_unlock(&j->lock);
	jring_wake(j, 0);
	return 0;
}
