/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's steps. 0, or -errno and a sentence. What a machine does not have is passed over. */
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

/* holder_dev.c: the machine's own /dev is kept before ours is mounted on it, and shown in ours afterwards. */
struct holder_machine {
	int dir, copy;
};

int holder_keep(struct holder_machine *m, struct err *e);
int holder_dev(const struct holder_machine *m, struct err *e);
void holder_let_go(struct holder_machine *m);

/* holder_sys.c: /sys and /proc/devices; folders of our own. */
int holder_sys(struct err *e);
int holder_run(struct err *e);

#endif
