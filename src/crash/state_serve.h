/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that serves a state's file: see state_file.h. */
#ifndef CRASH_STATE_SERVE_H
#define CRASH_STATE_SERVE_H

#include "crash/state_disk.h"

struct state_serve;

/* Serves FD, a FUSE that is mounted, from a thread. 0 or -errno. */
int state_serve_new(struct state_serve **out, int fd, struct state_disk *disk, uint64_t size);

/* The file is that state now. 0 or -ENOMEM. */
int state_serve_become(struct state_serve *f, const struct state *s);

#endif
