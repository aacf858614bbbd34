/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal (format.h has its format). A write puts its blocks and their tags into entries in memory and is answered. A flush
 * commits: the sections that have entries get their commit ids and go to the disk. Later the clerk writes committed blocks and their
 * tags to their places. So a block and its tag change together, whenever the power goes.
 *
 * The sections are a ring:
 *
 *   FREE --an entry is put into it--> OPEN --committed, durably--> COMMITTED --all of it is at its place, durably--> WRITTEN
 *   WRITTEN --no read needs it any more, and the one before is FREE--> FREE
 *
 * Invariants:
 *
 * - Of each block the index has the newest entry; a read finds it there before it looks at the disk. Nobody writes to a block
 *   while another one reads it (ranges.h).
 * - Only sections are FREE whose blocks are durable in their places, or replaced by a committed newer entry. So what is found
 *   on the disk after a crash is a run of sections in the order of their writing; it is replayed from the oldest on, and
 *   ends where a section is not whole. Playing it again does no harm: of each block the newest is in it.
 * - Commit ids: those of the sections from the one that is filled next on are one step older than those before it. They say
 *   where the ring begins.
 * - A commit or a way back that fails changes nothing in memory: whoever has asked for it is told, and it is tried again.
 * - A section that a read has pinned stays: the read had found a block in it, and comes back for that when the others are read.
 *
 * One lock guards all of it; data are copied outside of it. The clerk alone does I/O.
 */
#ifndef INTEGRITY_JOURNAL_H
#define INTEGRITY_JOURNAL_H

#include <pthread.h>

#include "core/kit/clerk.h"
#include "targets/integrity/format.h"
#include "targets/integrity/seal.h"
#include "targets/integrity/tags.h"

#define JRING_NONE UINT32_MAX
#define JRING_RUN (1u << 20)		/* bytes that are written back at once */

struct integrity;

/* A write that puts N blocks from SECTOR on into the journal. In its owner's memory until jring_put_over(). */
struct jring_put {
	uint64_t sector;
	uint32_t n;
	void (*got)(struct jring_put *p, int err);	/* on the thread of HOME, if it had to wait */
	struct loop *home;
	uint32_t first;			/* its first entry */
	int err;			/* the journal's from here on */
	struct jring_put *next;
	struct loop_msg msg;
};

enum section_state { SECTION_FREE, SECTION_OPEN, SECTION_COMMITTED, SECTION_WRITTEN };

struct jring {
	const struct iformat *f;
	void (*kick)(void *arg);	/* there is little room: drain it. Any thread */
	void *arg;
	uint8_t *memory;		/* the sections, one after the other */
	size_t bytes;
	uint32_t low;			/* free entries: as few as this are to be drained */

	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t copied;		/* for the clerk: a section has one copy less under way */
	uint8_t *state;			/* of a section: enum section_state */
	uint16_t *copying;		/* entries of it that are being filled */
	uint32_t *pins;			/* of reads */
	uint64_t *block;		/* of an entry: UINT64_MAX: it is unused */
	uint32_t *newer;		/* of an entry: the next one of its block */
	uint32_t *chain, *heads;	/* the index: entries of the same hash */
	uint32_t mask;			/* of heads */
	uint32_t oldest, first_open, n_open, fill, fill_entry;	/* sections; an entry */
	uint32_t free;			/* entries */
	struct jring_put *line, **last;	/* who waits for them */

	/* The clerk's. */
	struct seal *seal;		/* how it is encrypted and signed */
	unsigned seq;			/* the commit id of the next section: 0 to 3 */
	bool used;			/* there is something in it that a suspend clears */
	uint32_t *list;			/* entries that are written back */
	uint8_t *run;			/* blocks that are written at once, and their tags */
	uint8_t *run_tags;
};

/* Empty, in memory only. SEAL becomes its own. 0 or -errno and a sentence. */
int jring_new(struct jring **out, const struct iformat *f, struct seal *seal, unsigned watermark, void (*kick)(void *arg), void *arg,
	      struct err *e);
void jring_free(struct jring *j);	/* NULL is harmless */

/* --- io threads (journal.c) --- */

/* True: P has its entries, which are to be filled. False: p->got() comes later, and then it has them, or an error. */
bool jring_put_begin(struct jring *j, struct jring_put *p);
/* Block I of P: its bytes and its tag. */
void jring_put_block(struct jring *j, const struct jring_put *p, uint32_t i, struct vec data, const uint8_t *tag);
void jring_put_over(struct jring *j, const struct jring_put *p);

/* Which of N blocks from SECTOR on are in it: sets their bits, pins them, and returns their number. */
uint32_t jring_find(struct jring *j, uint64_t sector, uint32_t n, uint64_t *bits);
/* Copies a block that jring_find() has found, and its tag (either may be NULL), and unpins it. */
void jring_get(struct jring *j, uint64_t sector, const struct vec *data, uint8_t *tag);

/* --- the clerk (journal_disk.c): 0 or -errno --- */

struct jring_io {
	struct clerk *clerk;
	const struct dm_at *data, *meta;	/* META: from the superblock on */
	struct tags *tags;
};

int jring_commit(struct jring *j, const struct jring_io *io);
int jring_write_back(struct jring *j, const struct jring_io *io);
/* All sections anew, of a device that is being formatted. */
int jring_format(struct jring *j, const struct jring_io *io);
/* The same without a ring: what it will find at its beginning. */
int jring_write_empty(const struct iformat *f, struct seal *seal, const struct jring_io *io);
/* Nothing is in it that is needed: it says so on the disk. */
int jring_clear(struct jring *j, const struct jring_io *io);

/* jring_replay.c. Reads it, and writes what is in it to its places. GOES_ON: it will be used. 0, or -errno and a sentence. */
struct jring_check {
	int (*tag)(void *arg, uint64_t sector, const uint8_t *data, const uint8_t *tag);	/* is it right? NULL: not known here */
	void *arg;
};
int jring_replay(struct jring *j, const struct jring_io *io, const struct jring_check *check, bool goes_on, struct err *e);

/* The data of entry E as they were, for as many bytes as a block has. */
void jring_entry_get(const struct jring *j, uint32_t e, struct vec to);
/* With the lock: frees sections whose blocks are in their places and that nobody reads, the oldest first. */
void jring_free_sections(struct jring *j);
/* There may be room for those who wait; or ERR: they fail, because none can be made. */
void jring_wake(struct jring *j, int err);
void jring_index(struct jring *j, uint64_t block, uint32_t entry);	/* the newest of its block is ENTRY; nobody else is there */

/* journal_disk.c, for jring_replay.c. The first N of j->list go to their places. */
int jring_write_entries(struct jring *j, const struct jring_io *io, uint32_t n);
int jring_init(struct jring *j, const struct jring_io *io, uint32_t first, uint32_t n, unsigned seq);
int jring_flush(const struct jring_io *io);
void jring_begin_at(struct jring *j, uint32_t section, unsigned seq);

static inline uint8_t *jring_section(const struct jring *j, uint32_t s)
{
	return j->memory + (size_t)s * j->f->section_sectors * DM_SECTOR;
}

static inline uint8_t *jring_entry(const struct jring *j, uint32_t entry)
{
	return iformat_entry(j->f, jring_section(j, entry / j->f->per_section), entry % j->f->per_section);
}

static inline uint8_t *jring_data(const struct jring *j, uint32_t entry)
{
	return iformat_entry_data(j->f, jring_section(j, entry / j->f->per_section), entry % j->f->per_section);
}

static inline uint32_t jring_next(const struct jring *j, uint32_t section)
{
	return section + 1 == j->f->sections ? 0 : section + 1;
}

#endif
