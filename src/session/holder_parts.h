/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's steps. 0, or -errno and a sentence. What a machine does not have is ignored. */
#ifndef SESSION_HOLDER_PARTS_H
#define SESSION_HOLDER_PARTS_H

#include <stdbool.h>

#include "base/err.h"

/* holder_space.c: namespaces of our own, a user namespace too where that is necessary. */
int holder_unshare(bool *user_ns, struct err *e);
/* Mounts a FUSE on /dev. FD is what the daemon is to serve it with; nobody may look into /dev before. */
int holder_mount(int *fd, struct err *e);

/* holder_bind.c: shows what is at FROM (a name in the directory AT, or a path) at TO, with all that is mounted below it. */
int holder_bind(int at, const char *from, const char *to);
/* The same where nothing is at TO yet: what it is mounted on is made. A link is copied. */
int holder_show(int at, const char *from, const char *to);

/* holder_shade.c: a tmpfs of our own at the directory PATH. USER_NS: where it is missing, it is not made on the machine. */
int holder_tmpfs(const char *path, const char *mode, struct err *e);
int holder_shade(const char *path, bool user_ns, struct err *e);

#define HOLDER_SYS_DIRECTORIES 4

/* holder_dev.c: the machine's own /dev is kept before ours is mounted on it, and shown in ours afterwards. */
struct holder_machine {
	int dir, copy;
	int watch;			/* tells when it changes; -1 */
	int numbers;			/* which events of that are about its /dev/block; -1 */
	int sys[HOLDER_SYS_DIRECTORIES];	/* the machine's directories of /sys that ours cover; -1 */
};

int holder_keep(struct holder_machine *m, struct err *e);
int holder_dev(const struct holder_machine *m, struct err *e);
bool holder_dev_wanted(const char *name);
int holder_dev_add(int machine, const char *name);
void holder_dev_remove(const char *name);

/* holder_numbers.c: links in /dev/block, one and all. */
void holder_number(int machine, const char *name);
void holder_numbers(int machine);

/* holder_follow.c: keeping up with the machine's /dev. */
void holder_follow_begin(struct holder_machine *m);
void holder_follow(struct holder_machine *m);

/* holder_sys.c: /sys. */
int holder_sys(struct holder_machine *m, struct err *e);
void holder_sys_again(const struct holder_machine *m);

/* holder_run.c: directories that programs of a session share. */
int holder_run(bool user_ns, struct err *e);

#endif
