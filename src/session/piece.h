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
	PIECE_NAMESPACES,	/* a mount namespace of our own, for an ordinary user in a user namespace of his own */
	PIECE_FUSE_MOUNT,	/* FUSE can be mounted in them */
	PIECE_MOUNTS,		/* so can what the machine has: open_tree, move_mount, a tmpfs */
	PIECE_ENTER,		/* programs can go in: setns */
	PIECE_SECCOMP,		/* a filter with a listener */
	PIECE_MEMORY,		/* the memory and descriptors of the programs in a session */
	PIECE_SPEED,		/* the listener answers on the caller's processor */
	PIECE_SYS,		/* /sys is there */
	PIECE_LOOP,		/* loop devices, for mount(2) as root */
	PIECE_DMUSE_MOUNT,	/* what `dmuse mount` wants: fusermount3, or root who may mount */
	PIECES
};

struct piece_lack {
	char what[300];		/* what is missing and why */
	char fix[400];		/* a command, or "" */
	const char *how;	/* who runs it, and where: "as root" */
};

/* How the piece is called, whether there is no session without it, and what works without it. */
const char *piece_name(enum piece p);
bool piece_is_needed(enum piece p);
const char *piece_without(enum piece p);

/* Why it failed with R (-errno), and what would mend it. */
void piece_explain(enum piece p, int r, struct piece_lack *out);

/* The same as one sentence; returns R. */
int piece_lacks(enum piece p, int r, struct err *e);

/* What /proc/sys/NAME says, -1 if there is no such thing. */
long piece_setting(const char *name);

/* The node that FUSE is reached through: DMUSE_FUSE_DEVICE, or /dev/fuse. */
const char *piece_fuse_device(void);

#endif
