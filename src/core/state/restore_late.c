/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices and disks whose file did not open at the start, because its server does not answer: see restore.h. While clients are
 * served they are resumed, or shown again, as a client would do that, as their files open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/command/do.h"
#include "core/device/loopdev.h"
#include "core/state/lost.h"
#include "core/state/restore.h"

struct late {
	struct dm_cmd cmd;
	struct dm_loop loop;
	char name[];
};

static void late_done(struct dm_cmd *c)
{
	struct late *l = container(c, struct late, cmd);

	if (c->reply.err.code)
		log_error("%s", c->reply.err.text);
	else
		log_info("'%s' is back", l->name);
	dm_reply_free(&c->reply);
	free(c->text);
	free((char *)(uintptr_t)c->was);
	free(l);
}

static void late_resume(struct dm_device *d)
{
	size_t n = strlen(d->name) + 1;
	struct late *l = calloc(1, sizeof(*l) + n);
	char *word = d->disk ? dm_lost_disk_word(d->active->lost) : NULL;

	if (!l || (d->disk && !word)) {
		log_error("'%s' stays suspended: no memory to resume it", d->name);
		free(word);
		free(l);
		return;
	}
	memcpy(l->name, d->name, n);
	l->cmd = (struct dm_cmd){ .verb = DM_DO_RESUME, .name = l->name, .done = late_done };
	if (d->disk) {
		l->cmd.verb = DM_DO_DISK;
		l->cmd.text = word;
		l->cmd.was = strdup(d->active->lost->value);
		l->cmd.flags = DM_WITH_RECORDED | (d->active->readonly ? DM_WITH_READONLY : 0);
	}
	if (d->loopdev) {
		l->loop = d->loopdev->is;
		l->cmd.loop = &l->loop;
	}
	dm_do(d->world, &l->cmd);
}

/* A table that somebody has loaded since, or one that was not active, is for somebody to resume. */
static bool late_is(const struct dm_device *d)
{
	return d->active && d->active->lost && d->active->lost->late && d->active->lost->was_active && !d->inactive;
}

static void late_each(const struct list *all)
{
	struct list *pos, *next;

	list_each(pos, next, all) {
		struct dm_device *d = container(pos, struct dm_device, node);

		if (late_is(d))
			late_resume(d);
	}
}

void dm_restore_late(struct dm_world *w)
{
	late_each(&w->disks);
	late_each(&w->devices);
}
