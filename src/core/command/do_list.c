/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that only return something: versions, types, names, info. */
#include <errno.h>

#include "core/command/do.h"
#include "core/path/fault.h"
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
