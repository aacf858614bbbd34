/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording is a directory that has all that is needed to look at its states again:
 *
 *   base        the disk before the workload (an image)
 *   log         what was written to it until power is cut for the last time (targets/log_writes/format.h)
 *   after       what was written later, until the file system was unmounted; may be missing
 *   recording   how it was made: lines of a name and a value
 */
#ifndef CRASH_RECORDING_H
#define CRASH_RECORDING_H

#include "crash/fs.h"
#include "crash/history.h"

struct recording {
	char *directory;		/* absolute */
	/* How it was made. */
	uint64_t size;			/* of the disk: bytes */
	uint64_t unit;			/* atomic: bytes */
	const struct fs *fs;		/* NULL: raw */
	char *mount_options;		/* "" if there are none */
	char *run, *check;		/* commands; the check may be "" */
	bool fuse;			/* the workload ran on a file system in user space */
	bool complete;			/* it came to its end */
	/* What recording_open() finds. */
	struct history history;
	const uint8_t *base;		/* mapped */
};

#define RECORDING_BASE "base"
#define RECORDING_LOG "log"
#define RECORDING_AFTER "after"
#define RECORDING_ABOUT "recording"

/* A path in it, freed by the caller; NULL: no memory. */
char *recording_path(const struct recording *r, const char *name);

/* Is there one in DIRECTORY? */
bool recording_exists(const char *directory);

/* Writes down how it is made, or, COMPLETE, was. 0 or -errno and a sentence. */
int recording_save(const struct recording *r, bool complete, struct err *e);

/* Reads it all. 0 or -errno and a sentence; recording_close() in any case. */
int recording_open(struct recording *r, const char *directory, struct err *e);
void recording_close(struct recording *r);

#endif
