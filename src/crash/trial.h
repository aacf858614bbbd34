/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trying a state: it is mounted, the check runs, it is unmounted. In a process of its own, which has its own mounts: its
 * places have the same names for every state and in every process.
 *
 *   OUT/mnt          the mount, the working directory of the check
 *   OUT/state        a tmpfs: disk/disk is the state, marks the marks that were answered before the cut
 */
#ifndef CRASH_TRIAL_H
#define CRASH_TRIAL_H

#include "base/text.h"
#include "crash/fs.h"
#include "crash/state.h"

enum verdict {
	VERDICT_PASSED,
	VERDICT_FAILED,		/* the check says no */
	VERDICT_CRASHED,	/* the check was ended by a signal */
	VERDICT_HUNG,		/* ... or did not end in time */
	VERDICT_UNMOUNTABLE,	/* the file system does not mount */
	VERDICT_FSCK,		/* it mounts, but its own checker complains */
	VERDICT_NONE,		/* it could not be tried: why is a sentence */
	VERDICTS
};

/* One word. */
const char *verdict_name(enum verdict v);
/* Is it the program's failure? */
static inline bool verdict_is_programs(enum verdict v)
{
	return v == VERDICT_FAILED || v == VERDICT_CRASHED || v == VERDICT_HUNG;
}

struct trial_options {
	const struct history *history;
	const uint8_t *base;		/* mapped */
	const char *out;		/* directory, absolute */
	const struct fs *fs;		/* NULL: raw */
	const char *mount_options;	/* or NULL */
	bool fuse;			/* mount in user space */
	bool fsck;			/* each state that passes, too */
	const char *check;
	unsigned seconds;		/* for a check */
};

struct trial;

/* In a process with one thread, which it prepares: namespaces, places. 0 or -errno and a sentence. */
int trial_new(struct trial **out, const struct trial_options *o, struct err *e);

/* The process is about to end. */
void trial_end(struct trial *t);

struct trial_result {
	enum verdict verdict;
	int status;			/* of the check: its exit status, or the signal */
	struct text output;		/* what it printed, or why there is no verdict */
};

void trial_try(struct trial *t, const struct state *s, struct trial_result *r);

/*
 * Which files the SECTORS (numbers, separated by blanks) belong to, as the file system was at the end: lines of SECTOR, a tab, a
 * name. Those of which it cannot tell are not in OUT.
 */
void trial_names(struct trial *t, const char *sectors, struct text *out);

#endif
