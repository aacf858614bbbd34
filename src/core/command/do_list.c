/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that only return something: versions, types, names, info, counters, addresses; and shutdown. */
#include <errno.h>
#include <stdlib.h>

#include "core/command/do.h"
#include "core/path/fault.h"
#include "core/path/flush.h"
#include "core/command/linux.h"

void dm_do_version(struct dm_cmd *c, struct dm_device *d)
{
	(void)d;
	dm_finish(c);
}

void dm_do_info(struct dm_cmd *c, struct dm_device *d)
{
	dm_do_faults(c, d);
	dm_finish(c);
}

static void fail_memory(struct dm_cmd *c)
{
	dm_fail(c, -ENOMEM, "no memory for the answer");
}

static bool rows_begin(struct dm_cmd *c, size_t n)
{
	c->reply.types = arena_alloc(&c->reply.arena, n * sizeof(*c->reply.types));
	if (!c->reply.types)
		fail_memory(c);
	return c->reply.types;
}

void dm_do_targets(struct dm_cmd *c, struct dm_device *d)
{
	const struct dm_type *const *t = c->world->types;
	size_t n = 0;

	(void)d;
	while (t[n])
		n++;
	if (!rows_begin(c, n))
		return;
	for (; *t; t++)
		c->reply.types[c->reply.n++] = (struct dm_type_row){ (*t)->name, (*t)->usage, (*t)->about, (*t)->version };
	dm_finish(c);
}

void dm_do_stores(struct dm_cmd *c, struct dm_device *d)
{
	const struct dm_store_type *const *t = c->world->store_types;
	size_t n = 0;

	(void)d;
	while (t[n])
		n++;
	if (!rows_begin(c, n))
		return;
	for (; *t; t++)
		c->reply.types[c->reply.n++] = (struct dm_type_row){ (*t)->name, (*t)->usage, (*t)->about, NULL };
	dm_finish(c);
}

/* What all devices use, in one reply: otherwise drawing a tree would need one request for each device. */
static bool names_deps(struct dm_cmd *c)
{
	struct dm_reply *r = &c->reply;
	struct list *n, *next;
	size_t count = 0, i = 0;

	list_each(n, next, &c->world->devices)
		count += dm_deps_count(c, container(n, struct dm_device, node));
	r->deps = arena_alloc(&r->arena, count * sizeof(*r->deps) + 1);
	r->n_deps = arena_alloc(&r->arena, r->n * sizeof(*r->n_deps) + 1);
	if (!r->deps || !r->n_deps)
		return false;
	count = 0;
	list_each(n, next, &c->world->devices) {
		r->n_deps[i] = dm_deps_fill(c, container(n, struct dm_device, node), &r->deps[count]);
		count += r->n_deps[i++];
	}
	return true;
}

void dm_do_names(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_world *w = c->world;
	struct list *n, *next;

	(void)d;
	c->reply.names = arena_alloc(&c->reply.arena, w->n_devices * sizeof(*c->reply.names) + 1);
	if (!c->reply.names) {
		fail_memory(c);
		return;
	}
	list_each(n, next, &w->devices)
		dm_info_fill(&c->reply.names[c->reply.n++], container(n, struct dm_device, node), c->flags);
	if ((c->flags & DM_WITH_DEPS) && !names_deps(c))
		fail_memory(c);
	else
		dm_finish(c);
}

void dm_do_export(struct dm_cmd *c, struct dm_device *d)
{
	struct text uris = TEXT_INIT;
	struct list *n, *next;

	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->uris)
			f->uris(f, d, &uris);
	}
	c->reply.answer = uris.failed ? NULL : arena_strdup(&c->reply.arena, text_str(&uris));
	text_free(&uris);
	if (!c->reply.answer)
		fail_memory(c);
	else if (!*c->reply.answer)
		dm_fail(c, -ENOTSUP, "devices are not exported here: the daemon was started without an NBD socket");
	else
		dm_finish(c);
}

/* Uses the first front that can; there is only one. */
void dm_do_mount(struct dm_cmd *c, struct dm_device *d)
{
	struct list *n, *next;

	(void)d;
	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->mount) {
			f->mount(f, c);
			return;
		}
	}
	if (c->verb == DM_DO_MOUNT && !c->directory)
		dm_finish(c);	/* there are no mounts to list */
	else
		dm_fail(c, -ENOTSUP, "no daemon is running that can show its devices as files");
}

void dm_do_session(struct dm_cmd *c, struct dm_device *d)
{
	struct list *n, *next;

	(void)d;
	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->session) {
			f->session(f, c);
			return;
		}
	}
	dm_fail(c, -ENOTSUP, "no daemon is running that can hold a session");
}

/* The lanes' counters only grow; a reset records their values, so that no race loses anything. */
static bool stats_reset(struct dm_device *d, const struct dm_stats *total)
{
	if (!d->stats_base)
		d->stats_base = calloc(1, sizeof(*d->stats_base));
	if (d->stats_base)
		dm_stats_add(d->stats_base, total, 1);
	return d->stats_base;
}

void dm_do_stats(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_stats *total = arena_alloc(&c->reply.arena, sizeof(*total));

	if (!total) {
		fail_memory(c);
		return;
	}
	dm_device_stats(d, total);
	if (d->stats_base)
		dm_stats_add(total, d->stats_base, (uint64_t)-1);
	c->reply.stats = total;
	c->reply.n = 1;
	dm_do_faults(c, d);
	if (c->flags & DM_WITH_RESET)
		dm_faults_forget(d);
	if ((c->flags & DM_WITH_RESET) && !stats_reset(d, total))
		fail_memory(c);
	else
		dm_finish(c);
}

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
	err_set(&e, -ETIMEDOUT, "a flush has not ended within %u seconds", c->world->end_seconds);
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
