/* SPDX-License-Identifier: BSD-2-Clause */
/* See seen.h. */
#include "support/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/device/device.h"

void tell(struct fixture *f, const char *name, const char *text)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = text };

	assert_int_equal(run(f, &c, NULL), 0);
	dm_reply_free(&c.reply);
}

static void add_rows(struct fixture *f, struct text *out, const char *name, const char *what, enum dm_verb v, uint32_t flags)
{
	char *text = rows(f, v, name, flags);

	text_printf(out, "%s: %s\n", what, text);
	free(text);
}

static void add_regions(struct fixture *f, struct text *out, const char *name)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = "@stats_list" };

	assert_int_equal(dm_do_now(f->world, &c), 0);
	text_printf(out, "regions: %s\n", c.reply.answer);
	dm_reply_free(&c.reply);
}

static void add_device(struct fixture *f, struct text *out, const struct dm_device *d)
{
	struct dm_info i = info(f, d->name);

	text_printf(out, "%s/%s %s/%s %u:%u suspended=%d readonly=%d deferred=%d live=%d inactive=%d event=%u sectors=%llu ahead=%d/%u\n",
		    i.name, i.kernel_name, i.uuid, i.kernel_uuid, i.major, i.minor, i.suspended, i.readonly, i.deferred, i.live, i.inactive,
		    i.event_nr, (unsigned long long)i.sectors, i.has_read_ahead, i.read_ahead);
	text_printf(out, "geometry: %llu %llu %llu %llu\n", (unsigned long long)d->geometry.cylinders, (unsigned long long)d->geometry.heads,
		    (unsigned long long)d->geometry.sectors, (unsigned long long)d->geometry.start);
	add_rows(f, out, d->name, "active", DM_DO_TABLE, 0);
	add_rows(f, out, d->name, "inactive", DM_DO_TABLE, DM_WITH_INACTIVE);
	add_regions(f, out, d->name);
}

/* All that can be seen of all devices, in the order in which they were made. */
char *seen(struct fixture *f)
{
	struct text out = TEXT_INIT;
	struct list *n, *next;

	list_each(n, next, &f->world->devices)
		add_device(f, &out, container(n, struct dm_device, node));
	return text_take(&out);
}
