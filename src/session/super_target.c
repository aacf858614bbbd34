/* SPDX-License-Identifier: BSD-2-Clause */
/* What the supervisor looks at of a caller: its memory and its descriptors. TID is a thread's number. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "session/super.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

int target_read(const struct call *c, uint64_t from, void *to, size_t size)
{
	struct iovec l = { to, size }, r = { (void *)(uintptr_t)from, size };
	ssize_t n = process_vm_readv((pid_t)c->req.pid, &l, 1, &r, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

int target_write(const struct call *c, uint64_t to, const void *from, size_t size)
{
	struct iovec l = { (void *)from, size }, r = { (void *)(uintptr_t)to, size };
	ssize_t n = process_vm_writev((pid_t)c->req.pid, &l, 1, &r, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

/* Page by page, the first one only as far as most paths go: the next one may not be there. */
int target_string(const struct call *c, uint64_t from, char *to, size_t size)
{
	size_t have = 0, piece = 256;
	int r;

	while (have < size) {
		size_t left = 4096 - (from + have) % 4096;

		piece = piece < left ? piece : left;
		piece = piece < size - have ? piece : size - have;
		r = target_read(c, from + have, to + have, piece);
		if (r)
			return r;
		if (memchr(to + have, 0, piece))
			return 0;
		have += piece;
		piece = 4096;
	}
	return -ENAMETOOLONG;
}

int target_open(const struct call *c, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%u/%s", c->req.pid, what);
	fd = openat(c->s->proc, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

uint64_t target_namespace(const struct call *c, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%u/ns/%s", c->req.pid, name);
	return fstatat(c->s->proc, path, &st, 0) ? 0 : st.st_ino;
}

pid_t target_process(const struct call *c)
{
	int fd = target_open(c, "status", O_RDONLY), tgid;
	char status[512];
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	const char *at;

	if (fd >= 0)
		close(fd);
	status[n < 0 ? 0 : n] = '\0';
	at = strstr(status, "\nTgid:");
	return at && sscanf(at, "\nTgid: %d", &tgid) == 1 ? tgid : 0;
}

/* Linux 6.9 knows descriptors of threads. Before, its process's first thread has to do; they share their files mostly. */
static int target_pidfd(const struct call *c)
{
	int fd = (int)syscall(SYS_pidfd_open, c->req.pid, PIDFD_THREAD);

	if (fd >= 0 || errno != EINVAL)
		return fd < 0 ? -errno : fd;
	fd = (int)syscall(SYS_pidfd_open, target_process(c), 0);
	return fd < 0 ? -errno : fd;
}

int target_getfd(const struct call *c, int fd)
{
	int pidfd = target_pidfd(c), r;

	if (pidfd < 0)
		return pidfd;
	r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (r < 0)
		r = -errno;
	close(pidfd);
	return r;
}
