/* SPDX-License-Identifier: BSD-2-Clause */
/* The file systems that a workload may run on, and how each is made, mounted and checked. */
#ifndef CRASH_FS_H
#define CRASH_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct fs {
	const char *name;
	const char *mkfs;	/* commands of sh(1), to which words are appended: options, then the file */
	const char *fsck;	/* read-only; its status is 0 if it has nothing to complain of */
	const char *replay;	/* brings the journal into the file system, which the kernel does when it mounts; or NULL: followed by FILE */
	const char *fuse;	/* a program that mounts it in user space, followed by FILE DIRECTORY; or NULL */
	const char *options;	/* of a mount of a state */
	unsigned settle;	/* seconds: its commit interval and one more */
	uint64_t least;		/* bytes that mkfs wants */
	bool alone;		/* two with the same UUID cannot be mounted at once */
};

/* NULL: not known. */
const struct fs *fs_find(const char *name);
/* All names, for a sentence: "ext4, xfs". */
void fs_names(struct text *out);

#endif
