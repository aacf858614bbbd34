/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's list of mounts, /proc/PID/mountinfo, and which mount a path is on. */
#ifndef BASE_MOUNTINFO_H
#define BASE_MOUNTINFO_H

#include <stddef.h>
#include <sys/types.h>

struct mount_line {
	int id, parent;
	dev_t dev;		/* of the file system */
	const char *path;	/* where it is mounted, as the process sees it */
	const char *type;	/* "ext4", "fuse.sshfs" */
	const char *source;
	const char *options;	/* the file system's own: "rw,user_id=0" */
};

struct mountinfo {
	struct mount_line *mounts;
	size_t n;
	char *text;
};

/* Reads FILE. 0 or -errno; mountinfo_free() in either case. */
int mountinfo_read(struct mountinfo *m, const char *file);
void mountinfo_free(struct mountinfo *m);

/* The mount of this number, or NULL. */
const struct mount_line *mountinfo_find(const struct mountinfo *m, int id);

/*
 * The number of the topmost mount at PATH, or -errno. Only the directories on the way are accessed, so a dead or hung
 * file server at PATH does no harm.
 */
int mountinfo_top(const char *path);

#endif
