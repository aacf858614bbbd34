/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state as a disk: the base image, over it what was durable, over that the pieces that survived, and what is written to the
 * disk now. Only the last two are memory of its own; the rest stays where it is, in the image and the log. Becoming another
 * state costs what is different: going forward in the log is cheap. One thread at a time.
 */
#ifndef CRASH_STATE_DISK_H
#define CRASH_STATE_DISK_H

#include "crash/state.h"

struct state_disk;

/* BASE: h->size bytes, mapped. 0 or -ENOMEM. */
int state_disk_new(struct state_disk **out, const struct history *h, const uint8_t *base);
void state_disk_free(struct state_disk *d);

/* What was written to it is forgotten. 0 or -ENOMEM. */
int state_disk_become(struct state_disk *d, const struct state *s);

/* Bytes, inside the disk. Writing needs memory: 0 or -ENOMEM. */
void state_disk_read(const struct state_disk *d, uint64_t at, void *to, size_t n);
int state_disk_write(struct state_disk *d, uint64_t at, const void *from, size_t n);
int state_disk_zero(struct state_disk *d, uint64_t at, uint64_t n);

#endif
