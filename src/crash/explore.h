/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses states of a recording, tries them, and finds the smallest one that fails. */
#ifndef CRASH_EXPLORE_H
#define CRASH_EXPLORE_H

#include "crash/choose.h"
#include "crash/report.h"

struct explore_options {
	struct choose_options choose;
	unsigned jobs;			/* processes */
	const char *check;
	unsigned seconds;		/* for a check */
	bool fuse, fsck;
	/* After each state; may be NULL. */
	void (*progress)(const struct report *r, size_t tried);
};

/* REPORT->recording and ->again are set. 0 or -errno and a sentence; report_free() in any case. */
int explore(struct report *report, const struct explore_options *o, struct err *e);

/* Tries one state and leaves it as R->smallest. The same answer. */
int explore_one(struct report *report, const struct explore_options *o, const char *state, struct err *e);

#endif
