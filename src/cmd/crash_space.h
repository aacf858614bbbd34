/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that a workload's disk and its logs lie in while it runs: in memory (/dev/shm) if there is room, so that a flush costs
 * nothing. They have names only while the daemon opens them: nothing is left of them if we are killed at another time. (Where a file
 * system makes no files without a name, they have one from the beginning.)
 */
#ifndef CMD_CRASH_SPACE_H
#define CMD_CRASH_SPACE_H

#include "crash/recording.h"

enum crash_space_file { SPACE_DATA, SPACE_LOG, SPACE_AFTER, SPACE_FILES };

struct crash_space {
	const char *where;		/* the directory that they are in */
	char *directory;		/* in it, while they have names */
	struct {
		char *path;
		int fd;
		uint64_t size;
	} files[SPACE_FILES];
};

void crash_space_init(struct crash_space *s);
/* SPACE_DATA is a copy of the image BASE. 0 or -errno and a sentence. */
int crash_space_new(struct crash_space *s, const char *base, const struct recording *r, struct err *e);
/* They get names, and lose them. */
int crash_space_show(struct crash_space *s, struct err *e);
void crash_space_hide(struct crash_space *s);
/* The logs go to the recording's directory. */
int crash_space_save(struct crash_space *s, const struct recording *r, struct err *e);
void crash_space_free(struct crash_space *s);

#endif
