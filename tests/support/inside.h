/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside: a process in a mount namespace of its own, where a FUSE is mounted whose descriptor the test serves. It does
 * what the test asks for, while the test runs its world's loop.
 */
#ifndef TESTS_SUPPORT_INSIDE_H
#define TESTS_SUPPORT_INSIDE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "support/world.h"

#define INSIDE_USER 65534

/*
 * Starts it; to be called before any thread is created. USER: as an ordinary user in a user namespace. Returns the
 * FUSE's descriptor, or -errno if this machine does not allow it.
 */
int inside_begin(bool user);
pid_t inside_pid(void);		/* the process that keeps it */
const char *inside_place(void);	/* where the FUSE is mounted, inside */
void inside_end(void);

/* lstat(2) of a path under that place: 0 or -errno. */
int inside_stat(struct fixture *f, const char *path, struct stat *st);
/* Runs SCRIPT with sh there: its output (stdout and stderr) without the last newline; to be freed. */
char *inside_sh(struct fixture *f, const char *script);

#endif
