/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A journal that is found on the disk: where it begins, which of its sections are whole, and their blocks to their places. See
 * journal.h for the ring. Nothing in it is believed that was not checked: sectors within the device, tags if they can be computed,
 * the MAC. What does not fit is refused, because a wrong key looks the same: in mode R the device can be read without the journal.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "targets/integrity/journal.h"

struct replay {
	struct jring *j;
	const struct jring_check *check;
	struct err *err;
	bool used[IFORMAT_COMMITS];
	uint32_t last[IFORMAT_COMMITS];	/* the last section that has a sector with this id */
	bool empty;
	unsigned last_used, seq;	/* ids: the newest; that of the section at START */
	uint32_t start, sections;	/* those that are whole, from the oldest on */
};

static unsigned seq_before(unsigned seq)
{
	return (seq + IFORMAT_COMMITS - 1) % IFORMAT_COMMITS;
}

static uint64_t sector_id(const struct jring *j, uint32_t section, uint32_t sector)
{
	uint64_t id;

	memcpy(&id, jring_section(j, section) + (size_t)sector * DM_SECTOR + IFORMAT_SECTOR_DATA, sizeof(id));
	return id;
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */

static int note_id(struct replay *p, uint32_t section, uint32_t sector)
{
	uint64_t id = sector_id(p->j, section, sector);
	unsigned seq;

	for (seq = 0; seq < IFORMAT_COMMITS; seq++)
		if (id == seal_commit_id(p->j->seal, section, sector, seq)) {
			p->used[seq] = true;
			p->last[seq] = section;
			return 0;
		}
	return err_set(p->err, -EIO, "sector %u of section %u of the journal is none: it is damaged, or the key of journal_crypt is another one; in mode R "
				     "the device can be read without its journal", sector, section);
}

static bool section_is_empty(const struct jring *j, uint32_t s)
{
	unsigned i;

	for (i = 0; i < j->f->per_section; i++)
		if (iformat_entry_sector(iformat_entry(j->f, jring_section(j, s), i)) != UINT64_MAX)
			return false;
	return true;
}

static int section_read(struct replay *p, const struct jring_io *io, uint32_t s)
{
	struct jring *j = p->j;
	uint32_t i;
	int err = clerk_read(io->clerk, io->meta, IFORMAT_SB_SECTORS + (uint64_t)s * j->f->section_sectors, j->f->section_sectors, jring_section(j, s));

	if (err)
		return err_set(p->err, err, "section %u of the journal cannot be read: %s", s, strerror(-err));
	seal_open(j->seal, s, jring_section(j, s));
	for (i = 0; i < j->f->section_sectors && !err; i++)
		err = note_id(p, s, i);
	p->empty = p->empty && section_is_empty(j, s);
	return err;
}

/* Each is looked at before the next one takes memory: a damaged superblock may say that a hole is a journal of terabytes. */
static int read_all(struct replay *p, const struct jring_io *io)
{
	uint32_t s;
	int err = 0;

	p->empty = true;
	for (s = 0; s < p->j->f->sections && !err; s++)
		err = section_read(p, io, s);
	return err;
}

/* --- the ring ------------------------------------------------------------------------------------------------------------- */

/* Three ids are in use at most: the newest is the one before the first that is not. */
static int find_newest(struct replay *p)
{
	unsigned unused = IFORMAT_COMMITS - 1;

	if (!p->used[unused])
		while (unused && !p->used[unused - 1])
			unused--;
	else
		for (unused = 0; unused < IFORMAT_COMMITS && p->used[unused]; unused++)
			;
	if (unused == IFORMAT_COMMITS)
		return err_set(p->err, -EIO, "the journal is damaged: all four commit ids are in it; in mode R the device can be read without it");
	p->last_used = seq_before(unused);
	return 0;
}

static bool is_whole(const struct replay *p, uint32_t s, unsigned seq)
{
	uint32_t i;

	for (i = 0; i < p->j->f->section_sectors; i++)
		if (sector_id(p->j, s, i) != seal_commit_id(p->j->seal, s, i, seq))
			return false;
	return true;
}

/* A section that was being written when the power was cut ends the ring; its writes were not reported as durable. */
static void find_ring(struct replay *p)
{
	uint32_t n = p->j->f->sections, s;

	p->seq = seq_before(p->last_used);
	if (!p->used[p->seq] && p->used[seq_before(p->seq)])
		p->empty = true;		/* it was being cleared */
	p->start = p->last[p->last_used] + 1;
	if (p->start >= n) {
		p->start = 0;
		p->seq = (p->seq + 1) % IFORMAT_COMMITS;
	}
	for (s = p->start, p->sections = 0; p->sections < n && is_whole(p, s, p->seq); p->sections++) {
		s = jring_next(p->j, s);
		if (!s)
			p->seq = (p->seq + 1) % IFORMAT_COMMITS;
	}
}

/* --- its blocks ----------------------------------------------------------------------------------------------------------- */

/* The data of the entry as they were, and then in the journal as well: so they are written from there. */
static bool tag_is_right(struct replay *p, uint32_t e, uint64_t sector)
{
	const struct iformat *f = p->j->f;
	uint8_t data[IFORMAT_BLOCK_MOST * DM_SECTOR];
	struct iovec to = { data, sizeof(data) };

	jring_entry_get(p->j, e, (struct vec){ &to, 0 });
	return !p->check->tag || !p->check->tag(p->check->arg, sector, data, iformat_entry_tag(f, jring_entry(p->j, e)));
}

static int note_entry(struct replay *p, uint32_t e)
{
	struct jring *j = p->j;
	uint64_t sector = iformat_entry_sector(jring_entry(j, e));

	if (sector == UINT64_MAX)
		return 0;
	if (sector % j->f->block || sector >= j->f->provided)
		return err_set(p->err, -EINVAL, "the journal is damaged: it has data of sector %" PRIu64 ", and the device has %" PRIu64 " sectors; in mode R it can "
				"be read without its journal", sector, j->f->provided);
	if (!tag_is_right(p, e, sector))
		return err_set(p->err, -EILSEQ, "the journal has data of sector %" PRIu64 " that their tag does not fit: it is damaged, or the key of "
				"internal_hash is another one; in mode R the device can be read without its journal", sector);
	jring_index(j, sector / j->f->block, e);
	return 0;
}

/* Of each block the newest entry is in the index then. */
static int note_entries(struct replay *p)
{
	uint32_t s = p->start, i, k;

	for (i = 0; i < p->sections; i++, s = jring_next(p->j, s)) {
		if (!seal_is_signed(p->j->seal, s, jring_section(p->j, s)))
			return err_set(p->err, -EILSEQ, "the MAC of section %u of the journal is wrong: it was changed, or the key of journal_mac is another "
					"one; in mode R the device can be read without its journal", s);
		for (k = 0; k < p->j->f->per_section; k++)
			if (note_entry(p, s * p->j->f->per_section + k))
				return p->err->code;
	}
	return 0;
}

static int write_entries(struct replay *p, const struct jring_io *io)
{
	struct jring *j = p->j;
	uint32_t e, n = 0;
	int err;

	for (e = 0; e < j->f->entries; e++)
		if (j->block[e] != UINT64_MAX && j->newer[e] == JRING_NONE)
			j->list[n++] = e;
	err = jring_write_entries(j, io, n);
	return err ? err_set(p->err, err, "what is in the journal cannot be written to its places: %s", strerror(-err)) : 0;
}

/*
 * The section that would be the oldest first, by which nothing of the ring counts any more; then the others; the newest last,
 * because it says where the ring begins.
 */
static int clear_all(struct replay *p, const struct jring_io *io)
{
	struct jring *j = p->j;
	uint32_t n = j->f->sections, s = p->start;
	unsigned seq = seq_before(seq_before(p->last_used));
	int err = jring_init(j, io, s, 1, seq);

	if (!err && n > 2)
		err = jring_init(j, io, jring_next(j, s), n - 2, seq);
	if (!err && n > 1)
		err = jring_init(j, io, (s + n - 1) % n, 1, seq);
	jring_begin_at(j, 0, (seq + 1) % IFORMAT_COMMITS);
	return err ? err_set(p->err, err, "the journal cannot be cleared: %s", strerror(-err)) : 0;
}

/* What is in its places is in no section any more that is filled again: else the next commit would bring it back. */
static void forget_entries(struct jring *j)
{
	uint32_t e;

	for (e = 0; e < j->f->entries; e++)
		iformat_entry_clear(jring_entry(j, e));
}

int jring_replay(struct jring *j, const struct jring_io *io, const struct jring_check *check, bool goes_on, struct err *e)
{
	struct replay p = { .j = j, .check = check, .err = e };
	int err = read_all(&p, io);

	jring_begin_at(j, 0, 0);
	if (!err)
		err = find_newest(&p);
	if (err)
		return err;
	find_ring(&p);
	if (!p.empty) {
		err = note_entries(&p);
		if (!err)
			err = write_entries(&p, io);
		if (err)
			return err;
	}
	if (p.sections < j->f->sections || (!goes_on && !p.empty))
		return clear_all(&p, io);
	jring_begin_at(j, p.start, p.seq);
	forget_entries(j);
	j->used = !p.empty;
	return 0;
}
