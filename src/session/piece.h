/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The features of a system that sessions need. `dmuse doctor` and a session that fails print the same message about a
 * missing one: what is missing, and the command that provides it (piece_why.c).
 */
#ifndef SESSION_PIECE_H
#define SESSION_PIECE_H

#include <stdbool.h>

#include "base/err.h"

enum piece {
	PIECE_FUSE,		/* /dev/fuse can be opened */
	PIECE_NAMESPACES,	/* a mount namespace of our own; for an ordinary user in a user namespace */
	PIECE_FUSE_MOUNT,	/* FUSE can be mounted in it */
	PIECE_MOUNTS,		/* the machine's files can be mounted in it: open_tree, move_mount, a tmpfs */
	PIECE_ENTER,		/* programs can enter it: setns */
	PIECE_SECCOMP,		/* a seccomp filter with a listener */
	PIECE_MEMORY,		/* access to memory and descriptors of the programs in a session */
	PIECE_SPEED,		/* the supervisor answers on the caller's processor */
	PIECE_SYS,		/* /sys exists */
	PIECE_LOOP,		/* loop devices, for mount(2) as root */
	PIECE_DMUSE_MOUNT,	/* what `dmuse mount` needs: fusermount3, or root who may mount */
	PIECES
};

struct piece_lack {
	char what[300];		/* what is missing and why */
	char fix[400];		/* a command, or "" */
	const char *how;	/* who is to run it, and where: "as root" */
};

/* The feature's name, whether there is no session without it, and what works without it. */
const char *piece_name(enum piece p);
bool piece_is_needed(enum piece p);
const char *piece_without(enum piece p);

/* Why the feature failed with R (-errno), and how to provide it. */
void piece_explain(enum piece p, int r, struct piece_lack *out);

/* The same as one sentence; returns R. */
int piece_lacks(enum piece p, int r, struct err *e);

/* The value of /proc/sys/NAME, -1 if there is none. */
long piece_setting(const char *name);

/* The FUSE device node: DMUSE_FUSE_DEVICE, or /dev/fuse. */
const char *piece_fuse_device(void);

#endif
