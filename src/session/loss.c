/* SPDX-License-Identifier: BSD-2-Clause */
/* See loss.h. */
#include "session/loss.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/path/stats.h"
#include "core/world.h"

struct loss_device {
	uint32_t major, minor;
	uint64_t failed;
};

static uint64_t loss_count(const struct dm_device *d)
{
	struct dm_stats total = { 0 };

	dm_device_stats(d, &total);
	return total.errors[DM_WRITE] + total.errors[DM_FLUSH];
}

static size_t loss_length(struct list *devices)
{
	struct list *pos, *next;
	size_t n = 0;

	list_each(pos, next, devices)
		n++;
	return n;
}

static void loss_remember(struct loss *l, struct list *devices)
{
	struct list *pos, *next;

	list_each(pos, next, devices) {
		const struct dm_device *d = container(pos, struct dm_device, node);

		l->devices[l->n++] = (struct loss_device){ d->major, d->minor, loss_count(d) };
	}
}

void loss_begin(struct loss *l, struct dm_world *w)
{
	size_t n = loss_length(&w->devices) + loss_length(&w->disks);

	*l = (struct loss){ .devices = calloc(n + 1, sizeof(*l->devices)) };
	if (!l->devices)
		return;
	loss_remember(l, &w->devices);
	loss_remember(l, &w->disks);
}

int loss_end(struct loss *l, struct dm_world *w, struct err *e)
{
	size_t i;

	for (i = 0; i < l->n && !e->code; i++) {
		const struct dm_device *d = dm_find_number(w, l->devices[i].major, l->devices[i].minor);
		uint64_t failed = d ? loss_count(d) - l->devices[i].failed : 0;

		if (failed)
			err_set(e, -EIO, "%" PRIu64 " write%s to '%s' failed when the session ended%s: data that was "
				"not yet written is lost",
				failed, text_plural(failed), d->name, d->state == DM_ACTIVE ? "" : " (it was "
					"suspended)");
	}
	free(l->devices);
	l->devices = NULL;
	return e->code;
}
