/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes that fail while a session ends: they come from writeback, so no program is told about them. */
#ifndef SESSION_LOSS_H
#define SESSION_LOSS_H

#include <stddef.h>

#include "base/err.h"

struct dm_world;

struct loss {
	struct loss_device *devices;
	size_t n;
};

/* Remembers each device's error count so far. */
void loss_begin(struct loss *l, struct dm_world *w);
/* 0, or -EIO and a sentence if writes have failed since then. Frees L's memory. */
int loss_end(struct loss *l, struct dm_world *w, struct err *e);

#endif
