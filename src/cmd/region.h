/* SPDX-License-Identifier: BSD-2-Clause */
/* A region or area of `stats list` and `stats report`, and its fields. */
#ifndef CMD_REGION_H
#define CMD_REGION_H

#include <stdbool.h>

#include "cmd/engine.h"

/* The counters of an area, in the order of the answer to @stats_print. */
enum region_counter {
	REGION_READS, REGION_READS_MERGED, REGION_READ_SECTORS, REGION_READ_TIME,
	REGION_WRITES, REGION_WRITES_MERGED, REGION_WRITE_SECTORS, REGION_WRITE_TIME,
	REGION_UNDER_WAY, REGION_BUSY, REGION_QUEUE, REGION_READ_BUSY, REGION_WRITE_BUSY, REGION_COUNTERS
};

struct region {
	const char *device;
	uint64_t id, start, len, step, areas;	/* sectors */
	char program[128], aux[128];
	bool precise;		/* times are in nanoseconds, else in milliseconds */
	bool is_area;		/* else the whole region */
	uint64_t area;
	uint64_t counters[REGION_COUNTERS];
	double seconds;		/* the time in which that was counted */
};

extern const struct dm_report_object_type region_groups[];
extern const struct dm_report_field_type region_fields[];	/* ends with a row whose id is empty */

#endif
