/* SPDX-License-Identifier: BSD-2-Clause */
/* The front's life: see fuse.h. */
#include "fronts/fuse/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fronts/fuse/dev.h"

#define FUSE_FIRST_ID (FUSE_ROOT_ID + 1)

int fuse_front_new(struct fuse_front **out, struct dm_world *w, struct err *e)
{
	struct fuse_front *f = calloc(1, sizeof(*f));

	if (!f)
		return err_set(e, -ENOMEM, "no memory for the FUSE server");
	f->world = w;
	f->io = &w->io[0];
	f->next_id = FUSE_FIRST_ID;
	pool_memory_init(&f->memory, POOL_UNLIMITED, 1);
	pool_init(&f->pool, &f->memory, sizeof(struct fuse_io));
	f->control = gettid();
	list_init(&f->mounts);
	list_init(&f->mounting);
	list_init(&f->polls);
	list_init(&f->live);
	list_init(&f->users);
	f->front = (struct dm_front){ .name = "fuse", .changed = fuse_node_changed, .mount = fuse_mount_command,
				      .follow = fuse_follow, .catch_up = fuse_catch_up, .users = fuse_users };
	list_append(&w->fronts, &f->front.node);
	*out = f;
	return 0;
}

void fuse_front_check_stopped(struct fuse_front *f)
{
	void (*then)(void *arg) = f->then;

	if (!f->stopping)
		return;
	fuse_mount_stop_all(f);		/* one that was mounted meanwhile */
	if (!then || f->n_jobs || f->n_mounts)
		return;
	f->then = NULL;
	then(f->then_arg);
}

void fuse_front_stop(struct fuse_front *f, void (*then)(void *arg), void *arg)
{
	f->stopping = true;
	f->then = then;
	f->then_arg = arg;
	fuse_front_check_stopped(f);
}

void fuse_front_free(struct fuse_front *f)
{
	struct hash_link *l, *next;

	list_remove(&f->front.node);
	hash_each(l, next, &f->by_id) {
		struct fuse_node *n = container(l, struct fuse_node, by_id);

		hash_remove(&f->by_id, l);
		hash_remove(&f->by_device, &n->by_device);
		free(n);
	}
	pool_free(&f->pool);
	fuse_handles_free(&f->handles);
	free(f);
}
