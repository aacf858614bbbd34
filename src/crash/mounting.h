/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system on the file of a state, mounted by the kernel (a loop device) or in user space. */
#ifndef CRASH_MOUNTING_H
#define CRASH_MOUNTING_H

#include <sys/types.h>

#include "base/err.h"
#include "base/text.h"
#include "crash/fs.h"

struct mounting {
	const struct fs *fs;
	bool fuse;			/* in user space */
	const char *options;		/* more of them; or NULL */
	const char *file, *directory;
	pid_t server;			/* in user space: the program that serves it */
};

/*
 * 0; or -errno and a sentence: then it is this machine that lacks something. 1: the file system does not mount, which OUT says.
 */
int mounting_begin(struct mounting *m, struct text *out, struct err *e);
/* Nobody uses it any more. 0, or -errno and a sentence. */
int mounting_end(struct mounting *m, struct err *e);

#endif
