/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world's workers (base/work.h, which says what they are for): a type that computes asks for them in its constructor, so
 * that no request fails for want of a thread later, and a world without such a type has none.
 */
#ifndef CORE_COMPUTE_H
#define CORE_COMPUTE_H

#include "base/err.h"
#include "base/work.h"
#include "core/path/io.h"

/* As many as io threads, if they are not there yet: 0 or -errno and a sentence. Control thread. */
int dm_compute_begin(struct dm_world *w, struct err *e);

/* After that, on IO's thread: W runs on some worker and is done on this thread. */
static inline void dm_compute(struct dm_io *io, struct work *w, enum work_class class)
{
	work_start(&io->feed, w, class);
}

#endif
