/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the kernel to forget what it caches of a mount: the content of a device that has a new table, and a name that
 * now belongs to another device. On the control thread; jobs call the kernel, which waits for pages that are being
 * read, perhaps from a disk that is suspended or hangs. The command that made the change waits only briefly.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fronts/fuse/dev.h"

#define STALE_PATIENCE 100u	/* milliseconds */

/* A swap that waits until all mounts have dropped the device's pages. Freed by the last of its jobs. */
struct stale_swap {
	struct fuse_front *front;
	struct dm_device *device;
	struct loop_msg *then;		/* NULL: it no longer waits */
	struct timer patience;
	unsigned n_jobs;
};

struct stale {
	struct fuse_job job;
	struct fuse_mount *mount;
	struct stale_swap *swap;	/* or NULL */
	uint64_t id;			/* of a file; with a name, of a directory */
	char name[];			/* "": its content */
};

static void swap_goes_on(struct stale_swap *w)
{
	struct loop_msg *then = w->then;

	w->then = NULL;
	if (!dev_loops_follow(&w->front->front, w->device, then))
		then->run(then);
}

static void swap_too_long(struct timer *t)
{
	swap_goes_on(container(t, struct stale_swap, patience));
}

static void swap_stale_over(struct stale_swap *w)
{
	if (--w->n_jobs)
		return;
	timer_stop(&w->patience);
	if (w->then)
		swap_goes_on(w);
	free(w);
}

static void stale_run(struct fuse_job *j)
{
	struct stale *s = container(j, struct stale, job);

	if (*s->name)
		fuse_lowlevel_notify_inval_entry(s->mount->session, s->id, s->name, strlen(s->name));
	else
		fuse_lowlevel_notify_inval_inode(s->mount->session, s->id, 0, 0);
}

static void stale_over(struct fuse_job *j)
{
	struct stale *s = container(j, struct stale, job);

	s->mount->n_jobs--;
	fuse_mount_unref(s->mount);
	if (s->swap)
		swap_stale_over(s->swap);
	free(s);
}

/* NULL: it could not be started. */
static struct stale *stale_start(struct fuse_mount *m, uint64_t id, const char *name, struct stale_swap *swap)
{
	struct stale *s = calloc(1, sizeof(*s) + strlen(name) + 1);

	if (s) {
		s->job.run = stale_run;
		s->job.done = stale_over;
		s->mount = m;
		s->swap = swap;
		s->id = id;
		strcpy(s->name, name);
	}
	if (!s || fuse_job_start(&s->job, m->front)) {
		log_warn("no memory to invalidate the kernel's cache: %s may show old content", m->directory);
		free(s);
		return NULL;
	}
	m->n_jobs++;
	return s;
}

void fuse_stale_name(struct fuse_mount *m, uint64_t directory, const char *name)
{
	struct stale *s = stale_start(m, directory, name, NULL);

	if (s)
		fuse_job_wait(&s->job, STALE_PATIENCE);
}

static void swap_start(struct stale_swap *w, const struct fuse_node *n)
{
	struct list *pos, *next;

	list_each(pos, next, &w->front->mounts) {
		struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if ((!m->view || dev_known(m->view, n->id)) && stale_start(m, n->id, "", w))
			w->n_jobs++;
	}
}

bool fuse_follow(struct dm_front *front, struct dm_device *d, struct loop_msg *then)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	const struct fuse_node *n = fuse_node_known(f, d);
	struct stale_swap *w = n ? calloc(1, sizeof(*w)) : NULL;

	if (n && !w)
		log_warn_of(d->name, "no memory to invalidate the kernel's cache: '%s' may show old content", d->name);
	if (!w)
		return dev_loops_follow(front, d, then);
	*w = (struct stale_swap){ .front = f, .device = d, .then = then };
	swap_start(w, n);
	if (!w->n_jobs) {
		free(w);
		return dev_loops_follow(front, d, then);
	}
	timer_init(&w->patience, swap_too_long);
	loop_timer(f->world->loop, &w->patience, STALE_PATIENCE * TIMERS_SECOND / 1000);
	return true;
}
