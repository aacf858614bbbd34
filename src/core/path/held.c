/* SPDX-License-Identifier: BSD-2-Clause */
/* Held requests: see held.h. */
#include "core/path/held.h"

#include "core/path/spare.h"
#include "core/path/submit.h"

void dm_go_on_here(struct dm_req *r, int verdict)
{
	const struct dm_target *t = dm_holder(r);

	if (verdict != DM_HELD && dm_children_of(t, r))
		dm_spares_release(r);
	if (r->op == DM_FLUSH)
		r->walk = 0;	/* what it has flushed already may have been written to since */
	dm_enter(dm_apply_verdict(r, verdict), r);
}

static void held_home(struct loop_msg *m)
{
	struct dm_req *r = container(m, struct dm_req, home);

	dm_io_turn(r->io);
	dm_go_on_here(r, r->verdict);
}

void dm_go_on(struct dm_req *r, int verdict)
{
	r->verdict = verdict;
	r->home.run = held_home;
	loop_post(r->io->loop, &r->home);
}
