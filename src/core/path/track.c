/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that are told when a request which they have sent on has ended: dm_track(), target.h. */
#include "core/path/submit.h"

void dm_track_end(struct dm_req *r, unsigned i)
{
	const struct dm_target *t = r->via[i];

	if (!(r->tracked & 1u << i))
		return;
	r->tracked &= (uint8_t)~(1u << i);
	t->type->ended(t, r, r->marks >> i & 1);
}

void dm_track_end_all(struct dm_req *r)
{
	unsigned i;

	for (i = 0; i <= r->depth; i++)
		dm_track_end(r, i);
}
