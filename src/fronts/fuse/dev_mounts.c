/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/mountinfo as sessions see it. The supervisor opens our file in place of the kernel's and passes us the
 * kernel's (dev_mounts_take.c), for the process in question. A read of ours from the start returns the kernel's current
 * text, but where one of our devices is mounted through a loop device, with the device's own number. If ours is opened
 * directly, through /proc/self/fd, it shows the opener's own mounts.
 *
 * Like the kernel's it is always readable, and an exceptional condition reports that something was mounted or
 * unmounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fronts/fuse/dev_call.h"

#define MOUNTS_LOOP_MAJOR 7
#define MOUNTS_READY (POLLIN | POLLRDNORM)
#define MOUNTS_CHANGED (POLLERR | POLLPRI)

struct dev_mounts {
	struct loop_watch watch;	/* the kernel's file, watched while a program polls */
	struct fuse_file *file;
	bool watched;
	bool changed;			/* since a program was last told */
};

static void mounts_unwatch(struct dev_mounts *m)
{
	if (m->watched)
		loop_unwatch(m->file->mount->front->world->loop, &m->watch);
	m->watched = false;
}

static void mounts_ready(struct loop_watch *w, uint32_t events)
{
	struct dev_mounts *m = container(w, struct dev_mounts, watch);

	(void)events;
	m->changed = true;
	mounts_unwatch(m);
	dev_poll_tell(m->file);
}

static struct dev_mounts *mounts_new(struct fuse_file *file, int fd)
{
	struct dev_mounts *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct dev_mounts){ .watch = { .fd = fd, .events = EPOLLPRI, .ready = mounts_ready }, .file = file };
	return m;
}

/* The list behind FILE. If none was passed, that of the process that opened it. */
static struct dev_mounts *mounts_of(struct fuse_file *file)
{
	char path[40];
	int fd;

	if (file->mounts)
		return file->mounts;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)file->opener);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	file->mounts = fd < 0 ? NULL : mounts_new(file, fd);
	if (fd >= 0 && !file->mounts)
		close(fd);
	return file->mounts;
}

int dev_mounts_begin(struct fuse_file *file, int fd)
{
	if (file->mounts)
		return -ENOTTY;		/* it has been read already */
	file->mounts = mounts_new(file, fd);
	return file->mounts ? 0 : -ENOMEM;
}

void dev_mounts_closed(struct fuse_file *file)
{
	dev_mounts_leave(file);
	if (!file->mounts)
		return;
	mounts_unwatch(file->mounts);
	close(file->mounts->watch.fd);
	free(file->mounts);
}

/* The kernel takes each poll as having reported the change, whoever polls: so what it says is remembered. */
static void mounts_look(struct dev_mounts *m)
{
	struct pollfd p = { .fd = m->watch.fd, .events = POLLPRI };

	if (poll(&p, 1, 0) == 1 && (p.revents & MOUNTS_CHANGED))
		m->changed = true;
}

unsigned dev_mounts_poll(struct fuse_file *file, bool waits)
{
	struct dev_mounts *m = mounts_of(file);
	bool changed;

	if (!m)
		return MOUNTS_READY;
	mounts_look(m);
	changed = m->changed;
	m->changed = false;
	if (!changed && waits && !m->watched)
		m->watched = !loop_watch(file->mount->front->world->loop, &m->watch);
	return changed ? MOUNTS_READY | MOUNTS_CHANGED : MOUNTS_READY;
}

/* Reads the kernel's current text from its start. 0 or a positive errno. */
static int mounts_slurp(int fd, struct text *out)
{
	char piece[16384];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
		text_add_n(out, piece, (size_t)n);
		at += n;
	}
	return n < 0 ? errno : 0;
}

/* The device that is mounted through the loop device of that number, or NULL. */
static const struct dm_device *mounts_device(const struct fuse_front *f, int number)
{
	struct hash_link *l, *next;
	const struct list *pos;

	hash_each(l, next, &f->by_id) {
		const struct fuse_node *n = container(l, struct fuse_node, by_id);

		for (pos = n->loops.next; pos != &n->loops; pos = pos->next)
			if (container(pos, struct fuse_file, looped)->loop == number)
				return n->device;
	}
	return NULL;
}

/* "36 35 7:0 / /mnt ...": the third word is the device's number. */
static void mounts_line(const struct fuse_front *f, const char *line, size_t len, struct text *out)
{
	const struct dm_device *d = NULL;
	unsigned major, minor;
	int at = 0, end = 0;

	if (sscanf(line, "%*d %*d %n%u:%u%n", &at, &major, &minor, &end) == 2 && major == MOUNTS_LOOP_MAJOR)
		d = mounts_device(f, (int)minor);
	if (d) {
		text_add_n(out, line, (size_t)at);
		text_printf(out, "%u:%u", d->major, d->minor);
		line += end;
		len -= (size_t)end;
	}
	text_add_n(out, line, len);
}

int dev_mounts_show(struct fuse_file *file, struct text *out)
{
	const struct dev_mounts *m = mounts_of(file);
	struct text now = TEXT_INIT;
	const char *line, *next;
	int err;

	if (!m)
		return EINVAL;
	err = mounts_slurp(m->watch.fd, &now);
	for (line = text_str(&now); !err && *line; line = next) {
		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		mounts_line(file->mount->front, line, (size_t)(next - line), out);
	}
	out->failed |= now.failed;
	text_free(&now);
	return err;
}
