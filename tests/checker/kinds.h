/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of lines that the model checker puts into tables: every target with a contract sample, a new one too. What it does
 * with sectors, and where it puts them, is seen by trying it.
 */
#ifndef TESTS_CHECKER_KINDS_H
#define TESTS_CHECKER_KINDS_H

#include "contract/sample.h"

#define KINDS_MAX 64
#define KIND_DISKS DISKS

struct kind {
	const struct dm_type *type;
	const struct sample *sample;
	unsigned disks;			/* it stands on disk:0 to disk:DISKS-1 */
	enum { KIND_KEEPS, KIND_FAILS, KIND_ZEROS } how;
	bool placed;			/* each sector lies on a disk as it was written, there: */
	struct { unsigned disk, sector; } at[SAMPLE_SECTORS];
};

extern struct kind kinds[KINDS_MAX];
extern unsigned n_kinds;

/* Once. */
void kinds_find(void);
/* Adds the line of kind K at sector START; the K's disks are the devices of these NAMES. */
void kind_line(struct text *out, const struct kind *k, unsigned start, const char *const *names);

#endif
