/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's own flushes, on behalf of the control thread (suspend, swap, shutdown). They go from a device down, as a
 * client's do, so that lines that commit something do it; but they pass suspended devices, and nobody counts them.
 */
#ifndef CORE_FLUSH_H
#define CORE_FLUSH_H

#include "base/err.h"
#include "core/device/device.h"

/*
 * Flushes what D stands on, then calls THEN on the control thread with 0 or the first failure; E holds its sentence until
 * THEN returns. D must stay until then, and have no round meanwhile.
 */
void dm_flush_device(struct dm_device *d, void (*then)(void *arg, const struct err *e), void *arg);

/* The same for all devices and disks that can be written to. They are held open meanwhile. */
void dm_flush_world(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg);

/* All stores that can be written to, and no line is asked: for the world's end, when all of them have stopped. */
void dm_flush_stores(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg);

/* R, which is such a flush or a part of one, has failed at a store: for the sentence. On its io thread. */
void dm_flush_failed(struct dm_req *r, int err);

#endif
