/* SPDX-License-Identifier: BSD-2-Clause */
/* See settle.h. */
#include "core/device/settle.h"

#include "core/device/device.h"
#include "core/world.h"

static void settle_over(struct loop_msg *msg);

/* The fronts are asked one after another. */
static bool settle_ask(struct dm_settle *s)
{
	struct dm_front *f;

	s->msg.run = settle_over;
	while ((f = dm_front_next(s->world, &s->asked)))
		if (f->settle && f->settle(f, s->device, &s->msg))
			return true;
	return false;
}

static void settle_over(struct loop_msg *msg)
{
	struct dm_settle *s = container(msg, struct dm_settle, msg);

	if (!settle_ask(s))
		s->then(s);
}

/* Whoever holds requests of D back would be waited for in vain. */
bool dm_settle_start(struct dm_settle *s, const struct dm_device *d, void (*then)(struct dm_settle *s))
{
	if (d->state != DM_ACTIVE)
		return false;
	*s = (struct dm_settle){ .device = d, .world = d->world, .then = then };
	return settle_ask(s);
}
