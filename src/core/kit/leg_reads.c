/* SPDX-License-Identifier: BSD-2-Clause */
/* See leg_reads.h. */
#include "core/kit/leg_reads.h"

#include <stdlib.h>
#include <string.h>

#include "core/world.h"

struct leg_reads *leg_reads_new(const struct dm_world *w)
{
	size_t bytes = w->n_io * sizeof(struct leg_reads);
	struct leg_reads *reads = aligned_alloc(_Alignof(struct leg_reads), bytes);

	if (reads)
		memset(reads, 0, bytes);
	return reads;
}
