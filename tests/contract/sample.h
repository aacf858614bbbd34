/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target brings for the contract tests: tests/contract/samples/NAME.c defines sample_NAME, for the line TARGET(NAME) of
 * targets.list. The tests find it by that name, and the build says so if it is missing.
 */
#ifndef TESTS_CONTRACT_SAMPLE_H
#define TESTS_CONTRACT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "contract/disk.h"
#include "core/table/target.h"
#include "support/world.h"

/* A line of this many sectors suits every sample. */
#define SAMPLE_SECTORS 960u

struct sample {
	/* What follows the target's name. Devices are disk:0, disk:1, ... (disk.h), or what prepare() makes. */
	const char *words;

	/* All that follows may be NULL. */
	void (*format)(void);			/* what fresh disks hold, if not zeros: disk_bytes() */
	void (*prepare)(struct fixture *f);	/* what must be there in each new world before the line is loaded */
	/*
	 * The model of one sector, if it is not that reads give what was written last. OP comes to a sector that holds KEPT;
	 * WRITE and ZEROES bring NEXT, which may be changed to what the sector holds then. 0, or the -errno of any request that
	 * comes by.
	 */
	int (*model)(enum dm_op op, const uint8_t kept[512], uint8_t next[512]);
	/*
	 * The power was cut during writes, and a new world has loaded the line: what must be so beside the promise of every disk
	 * (test_crash.c)? F is that world, and disk_bytes() what its disks hold; both fail the test if it is not so.
	 */
	void (*crash)(struct fixture *f);
};

/* Those of targets.list, then doc/example's; the last one has no type. */
extern const struct sample_type {
	const struct dm_type *type;
	const struct sample *sample;
} sample_types[];

/* The target's words one by one, each changeable. */
#define SAMPLE_WORDS 32
struct sample_words {
	char at[SAMPLE_WORDS][64];
	size_t n;
};
void sample_split(struct sample_words *w, const struct sample *s);

/* "START LEN TYPE WORDS" */
void sample_line(char *out, size_t size, const struct dm_type *t, const struct sample_words *w, unsigned start);

/* A world that knows the disks and the examples; prepare() has run there. The disks are as they were: see disk_reset(). */
void sample_world(struct fixture *f, const struct sample *s);

#endif
