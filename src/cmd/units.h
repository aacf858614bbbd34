/* SPDX-License-Identifier: BSD-2-Clause */
/* --units: how reports print sizes, as in dmsetup. */
#ifndef CMD_UNITS_H
#define CMD_UNITS_H

#include "cmd/engine.h"
#include "cmd/job.h"

struct units {
	char letter;		/* 'h' or 'H': the largest unit that reads well */
	uint64_t factor;	/* bytes; 0 with these two */
};

/* EXIT_OK, or another code after saying why. */
int units_of(struct job *j, struct units *u);
/* The field of a report for a size in sectors. */
int units_field(struct dm_pool *mem, struct dm_report_field *field, const struct units *u, uint64_t sectors);

#endif
