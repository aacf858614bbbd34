/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes over the kernel's list that ours is to show (DMUSE_IOC_MOUNTS). Anybody may pass a descriptor, so it has to be
 * such a list: it is examined as an O_PATH descriptor, and opened again. A file on the machine's own /proc is
 * recognized at once. For another /proc only its file system could tell, and that may be anybody's FUSE, or ours, which
 * this very thread serves. So only a session's supervisor may pass such a list, and a job examines it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/process.h"
#include "fronts/fuse/dev_call.h"

struct mounts_take {
	struct fuse_job job;
	struct dev_call *call;
	struct fuse_file *file;		/* NULL: it was closed meanwhile */
	int path;			/* an O_PATH descriptor */
	int fd;				/* of the list, or -errno */
};

/* The kernel itself gives it such a name. */
static bool take_is_named(int path)
{
	char link[40], to[4096];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
	n = readlink(link, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = '\0';
	name = strrchr(to, '/');
	return name && !strcmp(name, "/mountinfo");
}

/* Is it on the machine's own /proc? No file system server is asked. */
static bool take_is_known(int path)
{
	struct stat proc;
	struct statx x;

	return !stat("/proc", &proc) && !statx(path, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &x) &&
	       makedev(x.stx_dev_major, x.stx_dev_minor) == proc.st_dev;
}

/* Opens the list for reading; or -errno. */
static int take_open(int path)
{
	char link[40];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A later daemon opens it by its name; of another /proc than the machine's it has none for us. */
static void take_record(const struct fuse_file *file, int fd)
{
	char link[40], to[80];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = take_is_known(fd) ? readlink(link, to, sizeof(to)) : -1;
	if (n > 0 && n < (ssize_t)sizeof(to))
		fuse_state_put(file->mount->front, to, (size_t)n, "mounts/%" PRIu64, file->handle);
}

void dev_mounts_again(struct fuse_file *file, const char *path)
{
	int fd = file->dev && file->dev->mounts ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0 && dev_mounts_begin(file, fd))
		close(fd);
}

/* FD, which is taken over, or -errno. */
static void take_end(struct dev_call *c, struct fuse_file *file, int fd)
{
	int r = fd < 0 ? fd : file ? dev_mounts_begin(file, fd) : -ENODEV;

	if (r && fd >= 0)
		close(fd);
	if (!r) {
		take_record(file, fd);
		fuse_done_put(c->mount, c->unique, 0);
		fuse_state_commit(c->mount->front);
	}
	dev_call_end(c, r, NULL, 0);
}

static void take_run(struct fuse_job *j)
{
	struct mounts_take *t = container(j, struct mounts_take, job);
	struct statfs fs;

	t->fd = fstatfs(t->path, &fs) || fs.f_type != PROC_SUPER_MAGIC ? -EINVAL : take_open(t->path);
	close(t->path);
}

static void take_over(struct fuse_job *j)
{
	struct mounts_take *t = container(j, struct mounts_take, job);
	struct fuse_mount *m = t->call->mount;

	if (t->file)
		t->file->taking = NULL;
	take_end(t->call, t->file, t->fd);
	free(t);
	m->n_jobs--;
	fuse_mount_unref(m);
}

/* 0 or -errno. */
static int take_ask(struct dev_call *c, int path)
{
	struct mounts_take *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	*t = (struct mounts_take){ .job.run = take_run, .job.done = take_over, .call = c, .file = c->file, .path = path };
	r = fuse_job_start(&t->job, c->mount->front);
	if (r) {
		free(t);
		return r;
	}
	c->file->taking = t;
	c->mount->n_jobs++;
	return 0;
}

/* PATH is taken over. */
static void take_judge(struct dev_call *c, int path)
{
	int r;

	if (!take_is_named(path))
		r = -EINVAL;
	else if (take_is_known(path))
		r = take_open(path);
	else if (!dev_may_control(c->mount->view, c->tid))
		r = -EPERM;
	else if (!(r = take_ask(c, path)))
		return;
	close(path);
	take_end(c, c->file, r);
}

/* Allowed once, right after the open. */
void dev_mounts_take(struct dev_call *c)
{
	const struct fuse_file *file = c->file;
	int number = -1, path;

	if (fuse_done_find(c->mount, c->unique)) {
		dev_call_end(c, 0, NULL, 0);
		return;
	}
	if (!file->dev->mounts || file->mounts || file->taking || c->in_size != sizeof(number)) {
		dev_call_end(c, -ENOTTY, NULL, 0);
		return;
	}
	memcpy(&number, c->in, sizeof(number));
	path = process_point(AT_FDCWD, c->tid, number);
	if (path < 0)
		dev_call_end(c, path, NULL, 0);
	else
		take_judge(c, path);
}

void dev_mounts_leave(struct fuse_file *file)
{
	if (file->taking)
		file->taking->file = NULL;
}
