/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of lines that the model checker puts into tables: every target with a contract sample, a new one too, and some
 * targets in further ways (ways.list). What a kind shows at first, what it does with sectors, and where it puts them, is seen by
 * trying it.
 */
#ifndef TESTS_CHECKER_KINDS_H
#define TESTS_CHECKER_KINDS_H

#include "contract/sample.h"

#define KINDS_MAX 64
#define KIND_DISKS DISKS

struct kind {
	const struct dm_type *type;
	const struct sample *sample;
	const char *words;
	const char *turned;		/* the words with the first two of its equal disks exchanged; NULL: it has none */
	unsigned disks;			/* it stands on disk:0 to disk:DISKS-1 */
	enum { KIND_KEEPS, KIND_FAILS, KIND_ZEROS, KIND_READS } how;
	bool alone;			/* in its table */
	bool remembers;			/* failures, and what is on its disks: after a fault its table is loaded again */
	bool placed;			/* each sector lies on a disk as it was written, there: */
	struct { unsigned disk, sector; } at[SAMPLE_SECTORS];
	uint8_t before[SAMPLE_SECTORS * DM_SECTOR];	/* what it shows until something is written */
};

extern struct kind *kinds;
extern unsigned n_kinds;

/* Once. */
void kinds_find(void);
/* DATA of a placed kind onto disk_bytes(0) and so on. */
void kind_put(const struct kind *k, const uint8_t *data);

/* The devices of a line: those that stand for disk:0, disk:1, ..., and those that stand for the sample's others. */
#define KIND_OTHERS 4u
struct kind_names {
	const char *disks[KIND_DISKS], *others[KIND_OTHERS];
};
/* Adds the line of kind K at sector START; TURNED: with its turned words. */
void kind_line(struct text *out, const struct kind *k, unsigned start, const struct kind_names *names, bool turned);
/* The table of its Ith other device; false: there is none. */
bool kind_other(const struct kind *k, unsigned i, const struct kind_names *names, struct text *out);

#endif
