/* SPDX-License-Identifier: BSD-2-Clause */
/* Recording for dmuse crash: a workload runs on a disk of a private daemon, whose writes are logged. */
#ifndef CMD_CRASH_RECORD_H
#define CMD_CRASH_RECORD_H

#include "cmd/job.h"
#include "crash/recording.h"

struct crash_record {
	struct recording *recording;	/* directory, size, unit, fs, mount_options, run: as they are wanted */
	const char *mkfs_options;	/* or NULL */
	unsigned settle;		/* seconds between the end of the workload and the cut */
	int status;			/* of the workload, as waitpid(2) tells it */
};

/*
 * Fills the directory, which is there. The file system is neither unmounted nor synced before the log ends. EXIT_OK; or EXIT_FAILED after saying
 * why. A workload that fails is no failure here, but leaves no recording.
 */
int crash_record(struct job *j, struct crash_record *r);

#endif
