/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The features of a system that sessions need. `dmuse doctor` and a session that fails print the same message about a
 * missing one: what is missing, and the command that provides it (feature_why.c).
 */
#ifndef SESSION_FEATURE_H
#define SESSION_FEATURE_H

#include <stdbool.h>

#include "base/err.h"

enum feature {
	FEATURE_FUSE,		/* /dev/fuse can be opened */
	FEATURE_NAMESPACES,	/* a mount namespace of our own; for an ordinary user in a user namespace */
	FEATURE_FUSE_MOUNT,	/* FUSE can be mounted in it */
	FEATURE_MOUNTS,		/* the machine's files can be mounted in it: open_tree, move_mount, a tmpfs */
	FEATURE_ENTER,		/* programs can enter it: setns */
	FEATURE_SECCOMP,		/* a seccomp filter with a listener */
	FEATURE_MEMORY,		/* access to memory and descriptors of the programs in a session */
	FEATURE_SPEED,		/* the supervisor answers on the caller's processor */
	FEATURE_SYS,		/* /sys exists */
	FEATURE_LOOP,		/* loop devices, for mount(2) as root */
	FEATURE_DMUSE_MOUNT,	/* what `dmuse mount` needs: fusermount3, or root who may mount */
	FEATURE_RESTART,	/* programs go on when the daemon is killed: a keeper is wanted, and the kernel sends requests again */
	FEATURES
};

struct feature_lack {
	char what[300];		/* what is missing and why */
	char fix[400];		/* a command, or "" */
	const char *how;	/* who is to run it, and where: "as root" */
};

/* The feature's name, whether there is no session without it, and what works without it. */
const char *feature_name(enum feature p);
bool feature_is_needed(enum feature p);
const char *feature_without(enum feature p);

/* Why the feature failed with R (-errno), and how to provide it. */
void feature_explain(enum feature p, int r, struct feature_lack *out);

/* The same as one sentence; returns R. */
int feature_fail(enum feature p, int r, struct err *e);

/* The value of /proc/sys/NAME, -1 if there is none. */
long feature_setting(const char *name);

/* The FUSE device node: DMUSE_FUSE_DEVICE, or /dev/fuse. */
const char *feature_fuse_device(void);

#endif
