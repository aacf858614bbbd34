/* SPDX-License-Identifier: BSD-2-Clause */
/* What dmuse crash was told. */
#ifndef CMD_CRASH_OPTIONS_H
#define CMD_CRASH_OPTIONS_H

#include "cmd/job.h"
#include "crash/explore.h"
#include "crash/fs.h"

struct crash_options {
	const char *out;		/* directory, which is there */
	bool record;			/* a workload */
	const char *check;		/* NULL: that of the recording */
	uint64_t size, unit;		/* bytes */
	const struct fs *fs;		/* NULL: raw */
	const char *mkfs_options;	/* or NULL */
	const char *mount_options;
	unsigned settle;		/* seconds */
	struct explore_options explore;
};

/* EXIT_OK; or after saying what is wrong, another. */
int crash_options_take(struct job *j, struct crash_options *o);

#endif
