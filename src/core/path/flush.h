/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's own flushes, on behalf of the control thread (suspend, swap, shutdown). They go down from a device like a
 * client's, so that lines that have something to commit do so; but they pass suspended devices, and are not counted.
 */
#ifndef CORE_FLUSH_H
#define CORE_FLUSH_H

#include "base/err.h"
#include "core/device/device.h"

/*
 * Flushes what D is mapped to, then calls THEN on the control thread with 0 or the first error; E has its sentence
 * until THEN returns. D must stay until then, without a round meanwhile.
 */
void dm_flush_device(struct dm_device *d, void (*then)(void *arg, const struct err *e), void *arg);

/*
 * The same for all writable devices, disks and stores. They are kept open meanwhile. Lines of devices that are suspended, or
 * about to be, are not asked; only their stores are flushed.
 */
void dm_flush_world(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg);

/* Flushes all writable stores, without asking any line: for the world's end, when all lines have stopped. */
void dm_flush_stores(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg);

/* R, which is such a flush or part of one, has failed at a store: adds that to the sentence. On its io thread. */
void dm_flush_failed(struct dm_req *r, int err);

#endif
