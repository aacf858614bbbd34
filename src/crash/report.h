/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of trying the states of a recording, and the ways to tell it. */
#ifndef CRASH_REPORT_H
#define CRASH_REPORT_H

#include <stdio.h>

#include "crash/crew.h"
#include "crash/recording.h"
#include "proto/plist.h"

/* A write that a state has lost, in whole or in part; or that the disk never saw before the cut. */
struct report_write {
	size_t write;			/* index in history.writes */
	uint64_t sector, count;		/* what of it is lost */
	uint32_t parts, of;		/* so many of its units; 0: all */
	char *file;			/* or NULL */
};

struct report {
	const struct recording *recording;
	const char *again;		/* the command that plays a state, without its name */
	struct crew_job *jobs;		/* all that were to be tried */
	size_t n, same;
	size_t counts[VERDICTS];
	double seconds;			/* that trying took */
	bool failed;			/* there is a smallest failing state: */
	struct crew_job smallest;
	size_t shrunk;			/* states that were tried to find it */
	struct report_write *lost;
	size_t n_lost;
	struct report_write *later;	/* files' data that was written after the cut only; if nothing is lost */
	size_t n_later;
};

/* What a CI understands: 0 all passed; else as doc/man/dmuse-crash.1 says. The program's failures go first. */
enum report_exit { REPORT_PASSED = 0, REPORT_FAILED = 3, REPORT_CRASHED = 4, REPORT_UNMOUNTABLE = 5, REPORT_FSCK = 6, REPORT_WORKLOAD = 7 };

int report_exit(const struct report *r);
/* Of one verdict. */
int report_exit_of(enum verdict v);

/* What is said about a verdict: "the check failed: it exited with status 1". */
void report_say_verdict(const struct trial_result *r, struct text *out);
/* "before the flush at entry 20 of the log completed, ...": when power was cut. */
void report_say_cut(const struct history *h, const struct history_cut *c, struct text *out);
/* The last mark before that entry of the log, or NULL. */
const char *report_mark_before(const struct history *h, uint64_t entry);

void report_text(const struct report *r, struct text *out);
plist_t report_json(const struct report *r);
void report_junit(const struct report *r, struct text *out);

void report_free(struct report *r);

#endif
