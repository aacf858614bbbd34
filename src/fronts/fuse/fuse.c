/* SPDX-License-Identifier: BSD-2-Clause */
/* The front's life: see fuse.h. */
#include "fronts/fuse/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#include "fronts/fuse/dev.h"

#define FUSE_FIRST_ID 256	/* below it: the root, and places in directories (dev_node.c) */

/*
 * Memory that is never paged in, so that no request is lost if the daemon is killed while the kernel copies one. If it
 * may not be locked, it is at least there.
 */
bool fuse_receive_ready(struct fuse_front *f)
{
	void *p;

	if (f->received)
		return true;
	p = mmap(NULL, FUSE_RECEIVED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	if (mlock(p, FUSE_RECEIVED))
		log_debug("the memory for requests of FUSE cannot be locked: %s", strerror(errno));
	madvise(p, FUSE_RECEIVED, MADV_DONTFORK);
	f->received = p;
	return true;
}

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
	list_init(&f->settling);
	list_init(&f->users);
	f->front = (struct dm_front){ .name = "fuse", .changed = fuse_node_changed, .mount = fuse_mount_command,
				      .follow = fuse_follow, .catch_up = fuse_catch_up, .settle = fuse_settle, .users = fuse_users };
	list_append(&w->fronts, &f->front.node);
	*out = f;
	return fuse_state_begin(f, e);
}

void fuse_front_restore(struct fuse_front *f)
{
	struct list *pos, *next;

	if (!fuse_state_is_kept(&f->state))
		return;
	fuse_done_restore(f);
	fuse_devices_restore(f);
	fuse_mounts_restore(f);
	fuse_nodes_restore(f);
	fuse_files_restore(f);
	fuse_state_commit(f);
	list_each(pos, next, &f->mounts)
		loop_post(f->io->loop, &container(pos, struct fuse_mount, node)->begin);
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
	fuse_pipe_close(&f->pipe);
	pool_free(&f->pool);
	fuse_handles_free(&f->handles);
	fuse_state_end(f);
	if (f->received)
		munmap(f->received, FUSE_RECEIVED);
	free(f);
}
