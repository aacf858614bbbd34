/* SPDX-License-Identifier: BSD-2-Clause */
/* What the supervisor looks at of a caller: its memory, its descriptors, what it may do. TID is a thread's number. */
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
#define CAP_DAC_OVERRIDE_BIT 1
#define CAP_FOWNER_BIT 3

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

/* All of /proc/TID/status that fits, or "". */
static void target_status(const struct call *c, char *buf, size_t size)
{
	int fd = target_open(c, "status", O_RDONLY);
	size_t have = 0;
	ssize_t n;

	while (fd >= 0 && have < size - 1 && (n = read(fd, buf + have, size - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	if (fd >= 0)
		close(fd);
}

/* What stands behind "KEY:\t", or "". */
static const char *status_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

pid_t target_process(const struct call *c)
{
	char status[4096];

	target_status(c, status, sizeof(status));
	return atoi(status_of(status, "\nTgid:"));
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

struct rights {
	unsigned uid, gid;	/* of file accesses */
	const char *groups;
	unsigned long long capabilities;
};

/* Capabilities count in a user namespace; those of another one than ours say nothing about our nodes. */
static bool target_rights(const struct call *c, char *status, size_t size, struct rights *r)
{
	target_status(c, status, size);
	*r = (struct rights){ .groups = status_of(status, "\nGroups:") };
	if (sscanf(status_of(status, "\nUid:"), "%*u %*u %*u %u", &r->uid) != 1 ||
	    sscanf(status_of(status, "\nGid:"), "%*u %*u %*u %u", &r->gid) != 1)
		return false;
	if (target_namespace(c, "user") == c->s->user_ns)
		r->capabilities = strtoull(status_of(status, "\nCapEff:"), NULL, 16);
	return true;
}

static bool rights_in_group(const struct rights *r, unsigned gid)
{
	const char *at = r->groups;
	char *end;

	if (r->gid == gid)
		return true;
	for (;;) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at < '0' || *at > '9')
			return false;
		if (strtoul(at, &end, 10) == gid)
			return true;
		at = end;
	}
}

static bool rights_allow(const struct rights *r, const struct stat *st, unsigned want)
{
	unsigned bits = st->st_mode;

	if (r->capabilities & (1ULL << CAP_DAC_OVERRIDE_BIT))
		return true;
	if (r->uid == st->st_uid)
		bits >>= 6;
	else if (rights_in_group(r, st->st_gid))
		bits >>= 3;
	return (bits & want) == want;
}

bool target_capable(const struct call *c, unsigned capability)
{
	char status[16384];
	struct rights r;

	return target_rights(c, status, sizeof(status), &r) && r.capabilities & (1ULL << capability);
}

bool target_may(const struct call *c, const struct stat *st, uint64_t flags)
{
	static const unsigned wants[] = { [O_RDONLY] = 4, [O_WRONLY] = 2, [O_RDWR] = 6, [O_ACCMODE] = 6 };
	char status[16384];
	struct rights r;

	if (!target_rights(c, status, sizeof(status), &r))
		return false;
	if ((flags & O_NOATIME) && r.uid != st->st_uid && !(r.capabilities & (1ULL << CAP_FOWNER_BIT)))
		return false;
	return rights_allow(&r, st, wants[flags & O_ACCMODE] | (flags & O_TRUNC ? 2 : 0));
}
