/* SPDX-License-Identifier: BSD-2-Clause */
/* See process.h. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#define PROCESS_PIECE ((size_t)1 << 30)	/* the kernel transfers less than 2 GiB at once */
#define TERMINALS 136			/* major numbers of pseudo-terminals */
#define TERMINALS_END 144

/* /proc/TID/WHAT: a descriptor, or -errno. */
static int process_open(int proc, pid_t tid, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s%d/%s", proc == AT_FDCWD ? "/proc/" : "", (int)tid, what);
	fd = openat(proc, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* How seccomp refuses. If it is the kernel that refuses, /proc does so, too. */
static bool process_forbidden(int r)
{
	return r == -EPERM || r == -ENOSYS;
}

struct process_move {
	pid_t tid;
	uint64_t at;
	void *here;
	size_t n;
	bool write;
};

/* /proc returns an I/O error for missing memory, and an invalid offset for what cannot be an address. */
static int process_fault(int error)
{
	return error == EIO || error == EINVAL ? -EFAULT : -error;
}

static int move_by_call(const struct process_move *m)
{
	struct iovec local = { m->here, m->n < PROCESS_PIECE ? m->n : PROCESS_PIECE };
	struct iovec remote = { (void *)(uintptr_t)m->at, local.iov_len };
	ssize_t r = m->write ? process_vm_writev(m->tid, &local, 1, &remote, 1, 0) : process_vm_readv(m->tid, &local, 1, &remote, 1, 0);

	return r < 0 ? -errno : (int)r;
}

static int move_by_file(int mem, const struct process_move *m)
{
	size_t n = m->n < PROCESS_PIECE ? m->n : PROCESS_PIECE;
	ssize_t r = m->write ? pwrite(mem, m->here, n, (off_t)m->at) : pread(mem, m->here, n, (off_t)m->at);

	return r < 0 ? process_fault(errno) : (int)r;
}

/* MEM: /proc/TID/mem, or -1. */
static int process_move_all(int mem, struct process_move *m)
{
	while (m->n) {
		int r = mem < 0 ? move_by_call(m) : move_by_file(mem, m);

		if (r <= 0)
			return r ? r : -EFAULT;
		m->here = (char *)m->here + r;
		m->at += (uint64_t)r;
		m->n -= (size_t)r;
	}
	return 0;
}

static int process_move(int proc, struct process_move *m)
{
	int r = process_move_all(-1, m), mem;

	if (!process_forbidden(r))
		return r;
	mem = process_open(proc, m->tid, "mem", m->write ? O_RDWR : O_RDONLY);
	if (mem < 0)
		return mem;
	r = process_move_all(mem, m);
	close(mem);
	return r;
}

int process_peek(int proc, pid_t tid, uint64_t at, void *to, size_t n)
{
	return process_move(proc, &(struct process_move){ tid, at, to, n, false });
}

int process_poke(int proc, pid_t tid, uint64_t at, const void *from, size_t n)
{
	return process_move(proc, &(struct process_move){ tid, at, (void *)(uintptr_t)from, n, true });
}

pid_t process_of(int proc, pid_t tid)
{
	int fd = process_open(proc, tid, "status", O_RDONLY), tgid;
	char status[512];
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	const char *at;

	if (fd >= 0)
		close(fd);
	status[n < 0 ? 0 : n] = '\0';
	at = strstr(status, "\nTgid:");
	return at && sscanf(at, "\nTgid: %d", &tgid) == 1 ? tgid : 0;
}

/*
 * Linux 6.9 has pidfds of threads. Before that, the first thread of the process has to do; its threads usually share
 * their files.
 */
static int process_pidfd(int proc, pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_pidfd_open, process_of(proc, tid), 0);
	return fd < 0 ? -errno : fd;
}

int process_fetch(int proc, pid_t tid, int fd)
{
	int pidfd = process_pidfd(proc, tid), r;

	if (pidfd < 0)
		return pidfd;
	r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (r < 0)
		r = process_forbidden(-errno) ? -EPERM : -errno;
	close(pidfd);
	return r;
}

/* Uses only what the kernel has cached: a file system's server may be waiting for us. */
static bool process_may_open(int path, bool no_file)
{
	struct statx x;

	if (statx(path, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &x))
		return false;
	return (S_ISREG(x.stx_mode) && !no_file) || S_ISDIR(x.stx_mode) || S_ISFIFO(x.stx_mode) ||
	       (S_ISCHR(x.stx_mode) && x.stx_rdev_major >= TERMINALS && x.stx_rdev_major < TERMINALS_END);
}

/* What the kernel says of an open file. */
struct process_file {
	unsigned flags, mount;
	unsigned long inode;
};

/* False: it has no such file, or the kernel is one before 5.14, which does not tell the inode. */
static bool process_file(int proc, pid_t tid, int fd, struct process_file *f)
{
	char what[32], text[256];
	int info;
	ssize_t n;

	snprintf(what, sizeof(what), "fdinfo/%d", fd);
	info = process_open(proc, tid, what, O_RDONLY);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (info >= 0)
		close(info);
	text[n < 0 ? 0 : n] = '\0';
	return sscanf(text, "pos: %*s flags: %o mnt_id: %u ino: %lu", &f->flags, &f->mount, &f->inode) == 3;
}

/*
 * Could it do through its own descriptor what we are to do? Who has opened a file for reading only must not get a line into it by our
 * rights. PATH is our descriptor of that file: by now, the other process may have put another one in its place.
 */
static bool process_could(int proc, pid_t tid, int fd, int path, int flags)
{
	int wanted = flags & O_ACCMODE, has;
	struct process_file theirs, ours;

	if (!process_file(proc, tid, fd, &theirs) || !process_file(proc, getpid(), path, &ours))
		return false;
	has = (int)theirs.flags & O_ACCMODE;
	return !(theirs.flags & O_PATH) && (has == wanted || has == O_RDWR) && theirs.mount == ours.mount && theirs.inode == ours.inode;
}

/* Is it open for appending? */
static bool process_appends(int proc, pid_t tid, int fd)
{
	struct process_file f;

	return process_file(proc, tid, fd, &f) && f.flags & O_APPEND;
}

int process_point(int proc, pid_t tid, int fd)
{
	char link[32];
	int r;

	snprintf(link, sizeof(link), "fd/%d", fd);
	r = process_open(proc, tid, link, O_PATH);
	return r == -ENOENT ? -EBADF : r;
}

/*
 * A file's position belongs to its opener: two would overwrite each other. A terminal does not become our controlling
 * one.
 */
static int process_open_again(int proc, pid_t tid, int fd, int flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	int path = process_point(proc, tid, fd), r = -EPERM;
	char link[32];

	if (path < 0)
		return path;
	snprintf(link, sizeof(link), "fd/%d", path);
	if (process_may_open(path, writes && !process_appends(proc, tid, fd)) && process_could(proc, tid, fd, path, flags))
		r = process_open(proc, getpid(), link, flags | O_NONBLOCK | O_NOCTTY | O_APPEND);
	close(path);
	return r;
}

int process_fetch_or_open(int proc, pid_t tid, int fd, int flags)
{
	int r = process_fetch(proc, tid, fd);

	return r == -EPERM ? process_open_again(proc, tid, fd, flags) : r;
}
