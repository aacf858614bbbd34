/* SPDX-License-Identifier: BSD-2-Clause */
/* What the supervisor reads from a caller: its memory and its descriptors. TID is a thread id. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "session/super.h"

int target_read(const struct call *c, uint64_t from, void *to, size_t size)
{
	return process_peek(c->s->proc, (pid_t)c->req.pid, from, to, size);
}

int target_write(const struct call *c, uint64_t to, const void *from, size_t size)
{
	return process_poke(c->s->proc, (pid_t)c->req.pid, to, from, size);
}

/* Reads page by page, and at first only as much as most paths need: the next page may not be mapped. */
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
	return process_of(c->s->proc, (pid_t)c->req.pid);
}

int target_getfd(const struct call *c, int fd)
{
	return process_fetch(c->s->proc, (pid_t)c->req.pid, fd);
}

int target_getfd_or_open(const struct call *c, int fd, int flags)
{
	return process_fetch_or_open(c->s->proc, (pid_t)c->req.pid, fd, flags);
}
