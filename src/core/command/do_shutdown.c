/* SPDX-License-Identifier: BSD-2-Clause */
/* The command shutdown: everything that was written is flushed, then the daemon ends. */
#include <errno.h>
#include <stdlib.h>

#include "core/command/do.h"
#include "base/text.h"
#include "core/path/flush.h"

/* After the flush: clients that were about to leave have left by now. */
static void shutdown_users(struct dm_cmd *c)
{
	struct list *n, *next;

	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->users)
			f->users(f, &c->reply.warnings);
	}
}

/* The flush before the end: whoever asked for that learns whether all that was written is safe. */
struct shutdown {
	struct dm_cmd *cmd;		/* NULL: it has its answer, because the flush hangs */
	struct timer limit;
};

/* The end comes in either case. */
static void shutdown_answer(struct dm_cmd *c, const struct err *e)
{
	struct dm_world *w = c->world;

	shutdown_users(c);
	if (e->code) {
		c->reply.err = *e;
		err_prefix(&c->reply.err, "the daemon stops, but data that was written may be lost: ");
	}
	dm_finish(c);
	w->shutdown(w);
}

static void shutdown_flushed(void *arg, const struct err *e)
{
	struct shutdown *s = arg;

	timer_stop(&s->limit);
	if (s->cmd)
		shutdown_answer(s->cmd, e);
	free(s);
}

static void shutdown_hangs(struct timer *t)
{
	struct shutdown *s = container(t, struct shutdown, limit);
	struct dm_cmd *c = s->cmd;
	struct err e = ERR_INIT;

	s->cmd = NULL;
	err_set(&e, -ETIMEDOUT, "a flush has not ended within %u second%s", c->world->end_seconds, text_plural(c->world->end_seconds));
	shutdown_answer(c, &e);
}

void dm_shutdown_flush(struct dm_cmd *c)
{
	struct shutdown *s = calloc(1, sizeof(*s));
	struct err e = ERR_INIT;

	if (!s) {
		err_set(&e, -ENOMEM, "no memory to flush");
		shutdown_answer(c, &e);
		return;
	}
	s->cmd = c;
	timer_init(&s->limit, shutdown_hangs);
	loop_timer(c->world->loop, &s->limit, c->world->end_seconds * TIMERS_SECOND);
	dm_flush_world(c->world, shutdown_flushed, s);
}

void dm_do_shutdown(struct dm_cmd *c, struct dm_device *d)
{
	struct list *n, *next;

	(void)d;
	if (!c->world->shutdown) {
		dm_fail(c, -ENOTSUP, "no daemon is running that can be stopped");
		return;
	}
	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->shutdown) {
			f->shutdown(f, c);
			return;
		}
	}
	dm_shutdown_flush(c);
}
