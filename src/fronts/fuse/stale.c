/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling the kernel to forget what it keeps of a mount. Control thread; a job does it, because the kernel may wait. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fronts/fuse/server.h"

#define STALE_PATIENCE 100	/* milliseconds */

struct stale {
	struct fuse_job job;
	struct fuse_mount *mount;
	uint64_t id;
	char name[];			/* "": what is in it */
};

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
	free(s);
}

static bool stale_start(struct fuse_mount *m, uint64_t id, const char *name)
{
	struct stale *s = calloc(1, sizeof(*s) + strlen(name) + 1);

	if (!s)
		return false;
	s->job.run = stale_run;
	s->job.over = stale_over;
	s->mount = m;
	s->id = id;
	strcpy(s->name, name);
	if (fuse_job_start(&s->job, m->front)) {
		free(s);
		return false;
	}
	m->n_jobs++;
	fuse_job_wait(&s->job, STALE_PATIENCE);
	return true;
}

/*
 * The kernel waits for pages that are being read, which may take as long as a disk below is suspended or hangs. Whoever
 * swapped the table waits for that only a little.
 */
void fuse_stale(struct fuse_mount *m, uint64_t id, const char *name)
{
	if (!stale_start(m, id, name ? name : ""))
		log_warn("no memory to invalidate the kernel's cache: %s may show old content", m->directory);
}
