/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device is which file, and telling the kernel when that changes. Names are asked for anew each time, so
 * nothing is to be told of them; sizes and pages are the kernel's to keep until a table is swapped. Control thread.
 */
#include <stdlib.h>

#include "base/log.h"
#include "fronts/fuse/server.h"

#define NODES_PATIENCE 100	/* milliseconds */

/* A device without a table has no blocks; as a file it is empty. */
static void node_measure(struct fuse_node *n)
{
	const struct dm_table *t = n->device->active;

	atomic_store(&n->block, t ? t->limits.logical : DM_SECTOR);
	atomic_store(&n->size, dm_device_sectors(n->device) << DM_SECTOR_SHIFT);
}

static struct fuse_node *node_new(struct fuse_front *f, struct dm_device *d)
{
	struct fuse_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->id = f->next_id++;
	n->device = d;
	clock_gettime(CLOCK_REALTIME, &n->since);
	partial_disk_init(&n->disk, f->io, d);
	node_measure(n);
	HASH_ADD(by_id, f->by_id, id, sizeof(n->id), n);
	HASH_ADD(by_device, f->by_device, device, sizeof(n->device), n);
	return n;
}

struct fuse_node *fuse_node_of(struct fuse_front *f, struct dm_device *d)
{
	struct fuse_node *n;

	HASH_FIND(by_device, f->by_device, &d, sizeof(d), n);
	return n ? n : node_new(f, d);
}

struct fuse_node *fuse_node_find(struct fuse_front *f, uint64_t id)
{
	struct fuse_node *n;

	HASH_FIND(by_id, f->by_id, &id, sizeof(id), n);
	return n;
}

/* What the kernel keeps of one file in one mount is to be forgotten. */
struct node_stale {
	struct fuse_job job;
	struct fuse_mount *mount;
	uint64_t id;
};

static void stale_run(struct fuse_job *j)
{
	struct node_stale *s = container(j, struct node_stale, job);

	fuse_lowlevel_notify_inval_inode(s->mount->session, s->id, 0, 0);
}

static void stale_over(struct fuse_job *j)
{
	struct node_stale *s = container(j, struct node_stale, job);

	s->mount->n_jobs--;
	fuse_mount_unref(s->mount);
	free(s);
}

/*
 * The kernel waits for pages that are being read, which may take as long as a disk below is suspended or hangs. Whoever
 * swapped the table waits for that only a little.
 */
static void node_stale(struct fuse_mount *m, const struct fuse_node *n)
{
	struct node_stale *s = calloc(1, sizeof(*s));

	if (s) {
		*s = (struct node_stale){ .job.run = stale_run, .job.over = stale_over, .mount = m, .id = n->id };
		if (!fuse_job_start(&s->job, m->front)) {
			m->n_jobs++;
			fuse_job_wait(&s->job, NODES_PATIENCE);
			return;
		}
		free(s);
	}
	log_warn("no memory to tell the kernel that '%s' has another table: %s may show what was there before",
		 n->device->name, m->directory);
}

static void node_swapped(struct fuse_front *f, struct fuse_node *n)
{
	struct list *pos, *next;

	node_measure(n);
	list_each(pos, next, &f->mounts)
		node_stale(container(pos, struct fuse_mount, node), n);
}

void fuse_node_changed(struct dm_front *front, struct dm_device *d, enum dm_change what)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	struct fuse_node *n;

	HASH_FIND(by_device, f->by_device, &d, sizeof(d), n);
	if (!n)
		return;
	if (what == DM_SWAPPED) {
		node_swapped(f, n);
	} else if (what == DM_REMOVED) {
		HASH_DELETE(by_id, f->by_id, n);
		HASH_DELETE(by_device, f->by_device, n);
		free(n);
	}
}
