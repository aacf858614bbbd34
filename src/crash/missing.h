/* SPDX-License-Identifier: BSD-2-Clause */
/* Which writes the smallest failing state lacks, and the files that they belong to. */
#ifndef CRASH_MISSING_H
#define CRASH_MISSING_H

#include "crash/report.h"

/* Fills REPORT->lost and ->later. */
int missing_find(struct report *report, struct crew *crew, struct err *e);

#endif
