/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's steps. Each returns 0, or -errno and a sentence. What a machine does not have is skipped. */
#ifndef SESSION_HOLDER_PARTS_H
#define SESSION_HOLDER_PARTS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* holder_namespaces.c: a mount namespace of our own, in a user namespace where that is necessary. */
int holder_unshare(bool *user_ns, struct err *e);
/* Mounts a FUSE on /dev. The daemon is to serve FD; until it does, nobody may access /dev. */
int holder_mount(int *fd, struct err *e);

/* holder_bind.c: bind-mounts FROM (a name in the directory AT, or a path) on TO, with everything mounted below it. */
int holder_bind(int at, const char *from, const char *to);
/* The same where TO does not exist yet: it is created. A link is copied. */
int holder_show(int at, const char *from, const char *to);

/*
 * holder_shade.c: mounts a tmpfs of our own on the directory PATH. If PATH is missing and USER_NS, it is not created on
 * the machine.
 */
int holder_tmpfs(const char *path, const char *mode, struct err *e);
int holder_shade(const char *path, bool user_ns, struct err *e);
/* Covers the file PATH with OWN, which is made: of KIND S_IFREG or S_IFIFO. */
int holder_own_file(const char *path, const char *own, mode_t kind, bool user_ns, struct err *e);

#define HOLDER_SYS_DIRECTORIES 4

/* holder_dev.c: the machine's own /dev is kept before ours is mounted on it, and then shown in ours. */
struct holder_machine {
	int dir, copy;
	int watch;			/* reports changes (inotify); -1 */
	int numbers;			/* the watch of its /dev/block; -1 */
	int sys[HOLDER_SYS_DIRECTORIES];	/* the machine's directories of /sys that ours cover; -1 */
};

int holder_keep(struct holder_machine *m, struct err *e);
int holder_dev(const struct holder_machine *m, struct err *e);
/* Is this a node, or a name in /sys, that only the session has: of the device-mapper, or of its own loop devices? */
bool holder_is_ours(const char *name);
bool holder_dev_wanted(const char *name);
int holder_dev_add(int machine, const char *name);
void holder_dev_remove(const char *name);

/* holder_numbers.c: one link in /dev/block, or all of them. */
void holder_number(int machine, const char *name);
void holder_numbers(int machine);

/* holder_follow.c: follows the machine's /dev. */
void holder_follow_begin(struct holder_machine *m);
void holder_follow(struct holder_machine *m);

/* holder_sys.c: /sys. */
int holder_sys(struct holder_machine *m, struct err *e);
void holder_sys_again(const struct holder_machine *m);

/* holder_run.c: directories that programs of a session share. */
int holder_run(bool user_ns, struct err *e);

#endif
