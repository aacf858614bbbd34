/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that a front carries out: export, mount, umount, session. */
#include <errno.h>

#include "core/command/do.h"

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
		dm_fail(c, -ENOMEM, "no memory for the answer");
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
