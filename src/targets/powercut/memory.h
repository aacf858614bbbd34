/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a cache: a region of a fixed size that is reserved with the disk, so that no request allocates. Small records
 * and the data of units come from it. Data leaves a quarter of it to records; what does not fit gets a place in the spill
 * file, counted in units. Whoever calls has the disk's lock.
 */
#ifndef POWERCUT_MEMORY_H
#define POWERCUT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MEMORY_RECORD 64u		/* bytes */
#define MEMORY_LEAST (1u << 20)

struct memory_free;

struct memory {
	uint8_t *region;
	size_t size, used;		/* bytes; what is behind USED was never handed out */
	uint32_t unit;			/* bytes of a unit's data */
	struct memory_free *records, *units;
	size_t n_records;		/* free ones */
	size_t data, most_data;		/* bytes handed out to data so far, and at most */
	uint64_t spilled, spill_end;	/* places in use in the spill file, and the first that never was */
	struct memory_free *holes;	/* places below that which are free ... */
	struct memory_free *resting;	/* ... or will be when nobody reads the spill file */
	unsigned readers;		/* of the spill file */
};

/* 0 or -errno and a sentence. */
int memory_new(struct memory *m, size_t size, uint32_t unit, struct err *e);
void memory_end(struct memory *m);

/* Are there N records? */
bool memory_has(const struct memory *m, size_t n);
void *memory_record(struct memory *m);		/* NULL: none is left */
void memory_give_record(struct memory *m, void *record);

void *memory_unit(struct memory *m);		/* NULL: none is left */
void memory_give_unit(struct memory *m, void *data);
bool memory_has_units(const struct memory *m, uint64_t n);	/* and a record for each */

uint64_t memory_spill(struct memory *m);
/* RECORD is no longer used, either: it remembers the place. */
void memory_give_spill(struct memory *m, void *record, uint64_t place);
/* Whoever reads a place that may be given back meanwhile says so. */
void memory_read_spill(struct memory *m);
void memory_spill_read(struct memory *m);

#endif
