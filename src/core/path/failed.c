/* SPDX-License-Identifier: BSD-2-Clause */
/* Failed requests and the lines they came through: see failed.h. */
#include "core/path/failed.h"

#include <errno.h>

#include "core/device/devices.h"
#include "core/world.h"

/* The word has come: whatever is counted in any device by now. What comes later is told anew. */
static void failed_news(struct loop_msg *m)
{
	struct dm_io *io = container(m, struct dm_io, news);
	struct list *n, *next;

	atomic_store(&io->telling, false);
	list_each(n, next, &io->world->devices) {
		struct dm_device *d = container(n, struct dm_device, node);
		uint32_t raised = atomic_exchange(&d->raised, 0);

		if (!raised)
			continue;
		d->event_nr += raised - 1;
		dm_device_event(d);
	}
}

static void failed_tell(struct dm_io *io)
{
	if (!io->raised)
		return;
	io->raised = false;
	if (atomic_exchange(&io->telling, true))
		return;
	io->news.run = failed_news;
	loop_post(io->world->loop, &io->news);
}

/* The device whose line via[I] is: a piece was cut out of its parent by the last one of that. */
static struct dm_device *failed_device(const struct dm_req *r, unsigned i)
{
	return (i ? r->path[i - 1] : r->parent->path[r->parent->depth - 1])->device;
}

static void failed_ask(const struct dm_req *r, unsigned i)
{
	const struct dm_target *t = r->via[i];

	if (!t || !t->type->failed)
		return;
	if (!t->type->failed(t, i < r->depth ? r->path[i]->device : dm_store_end(r->store)))
		return;
	atomic_fetch_add(&failed_device(r, i)->raised, 1);
	r->io->raised = true;
}

/*
 * Only a failure of what lies below: not a question, not what it cannot do, not an end that we made ourselves. Linux tells its lines of no flush, nor of
 * reading ahead.
 */
static bool failed_counts(const struct dm_req *r, int err)
{
	return err != -EOPNOTSUPP && err != -ESHUTDOWN && err != -EINTR && r->asked != DM_EXTENT && r->asked != DM_FLUSH && !(r->flags & DM_AHEAD);
}

void dm_failed(struct dm_req *r, int err)
{
	unsigned i;

	if (failed_counts(r, err))
		for (i = r->parent ? 0 : 1; i <= r->depth; i++)
			failed_ask(r, i);
	if (!r->parent)
		failed_tell(r->io);
}

bool dm_failed_news(const struct dm_world *w)
{
	unsigned i;

	for (i = 0; i < w->n_io; i++)
		if (atomic_load(&w->io[i].telling))
			return true;
	return false;
}
