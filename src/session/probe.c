/* SPDX-License-Identifier: BSD-2-Clause */
/* See probe.h. */
#include "session/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "session/holder_parts.h"
#include "session/supervisor.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#define CHILD_UNNEEDED 255	/* an exit status; others are errno */

static int probe_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == CHILD_UNNEEDED ? PROBE_UNNEEDED : -WEXITSTATUS(status);
}

/* F in a child: what it changes of itself ends with it. */
static int probe_in_child(int (*f)(void))
{
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return -errno;
	if (!pid) {
		r = f();
		_exit(r > 0 ? CHILD_UNNEEDED : -r);
	}
	return probe_status(pid);
}

static int probe_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_namespaces(void)
{
	struct err e = ERR_INIT;
	bool user_ns;

	return holder_unshare(&user_ns, &e);
}

/* Of what failed before, its own line tells. */
static int probe_fuse_mount(void)
{
	struct err e = ERR_INIT;
	int fd;

	if (probe_open(piece_fuse_device()) || probe_namespaces())
		return PROBE_UNNEEDED;
	return holder_mount(&fd, &e);
}

/* Linux 5.0 has listeners, 5.9 those that can hand descriptors out: it looks for the call first, then for the flag. */
static int probe_seccomp(void)
{
	struct seccomp_notif_addfd none = { .id = 0 };
	int fd;

	probe_namespaces();
	fd = supervisor_filter();
	if (fd < 0)
		return fd;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &none) < 0 && errno != ENOENT && errno != EBADF ? -errno : 0;
}

static int probe_speed(void)
{
	int fd;

	probe_namespaces();
	fd = supervisor_filter();
	if (fd < 0)
		return PROBE_UNNEEDED;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, (unsigned long)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) ? -errno : 0;
}

/* A program in a session, as it were: tells that it is there, and stays until it is ended. */
static void probe_target(int ready)
{
	char no = probe_namespaces() != 0;

	if (write(ready, &no, 1) == 1)
		pause();
	_exit(0);
}

static pid_t probe_reads;

/* The daemon, as it were, which is no ancestor of it. */
static int probe_reader(void)
{
	char there;

	/* Any address: a child has the same ones. */
	return process_peek(AT_FDCWD, probe_reads, (uint64_t)(uintptr_t)&probe_reads, &there, 1);
}

static int probe_memory(void)
{
	int ready[2], r = PROBE_UNNEEDED;
	char no = 1;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	probe_reads = fork();
	if (!probe_reads)
		probe_target(ready[1]);
	close(ready[1]);
	if (probe_reads > 0 && read(ready[0], &no, 1) == 1 && !no)
		r = probe_in_child(probe_reader);
	close(ready[0]);
	if (probe_reads > 0) {
		kill(probe_reads, SIGKILL);
		probe_status(probe_reads);
	}
	return r;
}

static int probe_fusermount(void)
{
	char path[4096], *at = path, *dir;
	const char *given = getenv("PATH");

	snprintf(path, sizeof(path), "%s", given ? given : "/usr/bin:/bin");
	while ((dir = strsep(&at, ":"))) {
		char full[4200];

		snprintf(full, sizeof(full), "%s/fusermount3", dir);
		if (!access(full, X_OK))
			return 0;
	}
	return -ENOENT;
}

int piece_probe(enum piece p)
{
	switch (p) {
	case PIECE_FUSE:
		return probe_open(piece_fuse_device());
	case PIECE_NAMESPACES:
		return probe_in_child(probe_namespaces);
	case PIECE_FUSE_MOUNT:
		return probe_in_child(probe_fuse_mount);
	case PIECE_SECCOMP:
		return probe_in_child(probe_seccomp);
	case PIECE_MEMORY:
		return probe_memory();
	case PIECE_SPEED:
		return probe_in_child(probe_speed);
	case PIECE_SYS:
		return access("/sys/dev/block", F_OK) ? -errno : 0;
	case PIECE_LOOP:
		return geteuid() ? PROBE_UNNEEDED : probe_open("/dev/loop-control");
	default:
		return geteuid() ? probe_fusermount() : PROBE_UNNEEDED;
	}
}
