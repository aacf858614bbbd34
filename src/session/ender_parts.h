/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ender's steps. It runs inside the session; nothing here accesses a file system that a program of the session
 * serves.
 */
#ifndef SESSION_ENDER_PARTS_H
#define SESSION_ENDER_PARTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/mountinfo.h"

#define ENDER_LOOPS 64
#define ENDER_PATH 256

enum user_kind {
	USER_NONE,
	USER_IDLE,		/* it is only there */
	USER_TOOL,		/* a daemon of some tool: uses the control node, a file of the session's own, or libdevmapper */
	USER_DATA,		/* uses a device, or a file system that has to be unmounted */
	USER_SERVER,		/* serves a FUSE file system */
};

struct user {
	pid_t pid;
	enum user_kind kind;
	char name[20];
	char path[ENDER_PATH];
};

struct ender {
	struct mountinfo machine;	/* of the daemon's mount namespace */
	struct mountinfo here;
	bool *needed;			/* for each of them: it has to be unmounted */
	size_t n_needed;
	dev_t view;			/* the session's /dev */
	char ns[64], machine_ns[64];	/* links of /proc/PID/ns/mnt */
	int loops[ENDER_LOOPS];		/* numbers of loop devices on devices or mounts of the session */
	size_t n_loops;
	struct user *users;
	size_t n_users, n_data;		/* n_data: users of data, and FUSE servers */
	long long idle_until;		/* until then idle processes are waited for, in case they begin to use something */
	pid_t sweep;			/* a child that unmounts; 0: none */
	char *place;			/* shared with it: what it is unmounting now, or "" */
	bool frozen;			/* a freezer of ours is there: killed, it would leave a file system frozen for good */
	long long patience;		/* milliseconds for which an unmount may make no progress */
	long long moved;		/* when it has made some ... */
	unsigned long long mark;	/* ... and what is different after that */
};

/* ender_mounts.c: finds out what is mounted, and which of it has to be unmounted. 0 or -errno. */
int ender_look(struct ender *x);
/* Unmounts what can be unmounted now. True if anything was. */
bool ender_unmount(struct ender *x);
void ender_unmount_lazily(struct ender *x);
/* The mount on which PATH is, if that has to be unmounted; or NULL. */
const struct mount_line *ender_mount_of(const struct ender *x, const char *path);
/* Was the file system mounted by a program of the session? */
bool ender_made_here(const struct ender *x, const struct mount_line *m);

/* ender_loops.c */
void ender_find_loops(struct ender *x);
/* What has been written to them so far, in sectors. */
unsigned long long ender_written(const struct ender *x);
/* True if one was detached now. */
bool ender_detach_loops(struct ender *x);

/* ender_users.c: processes that use what has to be unmounted, or the session itself. */
void ender_find_users(struct ender *x);
/* Unless U is another process by now, or of another kind. */
void ender_signal_user(struct ender *x, const struct user *u, int signal);

#endif
