/* SPDX-License-Identifier: BSD-2-Clause */
/* See pending.h. */
#include "support/pending.h"

#include "core/command/do.h"

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

void pending_start(struct fixture *f, struct pending *p, struct dm_cmd c)
{
	*p = (struct pending){ .c = c };
	p->c.done = pending_over;
	dm_do(f->world, &p->c);
}

int pending_wait(struct fixture *f, struct pending *p)
{
	while (!p->over)
		loop_turn(f->loop, -1);
	dm_reply_free(&p->c.reply);
	return p->c.reply.err.code;
}
