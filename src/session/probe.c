/* SPDX-License-Identifier: BSD-2-Clause */
/* See probe.h. */
#include "session/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/process.h"
#include "session/holder_parts.h"
#include "session/supervisor.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#define CHILD_UNNEEDED 255	/* an exit status; the others are errno values */

static int probe_code(void *f)
{
	int r = (*(int (**)(void))f)();

	return r > 0 ? CHILD_UNNEEDED : -r;
}

/* Calls F in a child, whose changes to itself end with it. */
static int probe_in_child(int (*f)(void))
{
	int r = apart(probe_code, &f);

	return r < 0 ? r : r == CHILD_UNNEEDED ? PROBE_UNNEEDED : -r;
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

/* If a previous feature is missing, its own line says so. */
static int probe_fuse_mount(void)
{
	struct err e = ERR_INIT;
	int fd;

	if (probe_open(feature_fuse_device()) || probe_namespaces())
		return PROBE_UNNEEDED;
	return holder_mount(&fd, &e);
}

/* As the holder does with the machine's /dev. */
static int probe_show(void)
{
	int copy = open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	struct err e = ERR_INIT;

	if (copy < 0)
		return -errno;
	if (holder_tmpfs("/dev", "mode=0755", &e))
		return e.code;
	if (mkdir("/dev/copy", 0755) || move_mount(copy, "", AT_FDCWD, "/dev/copy", MOVE_MOUNT_F_EMPTY_PATH))
		return -errno;
	return 0;
}

static int probe_mounts(void)
{
	return probe_namespaces() ? PROBE_UNNEEDED : probe_show();
}

/* Stands for a program in a session: reports that it has started, and runs until it is killed. */
static void probe_target(int ready)
{
	char no = probe_namespaces() != 0;

	if (write(ready, &no, 1) == 1)
		pause();
	_exit(0);
}

static pid_t probe_asks;	/* the process of probe_target() */

/* Calls F in a child while such a process runs. */
static int probe_another(int (*f)(void))
{
	int ready[2], r = PROBE_UNNEEDED;
	char no = 1;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	probe_asks = fork();
	if (!probe_asks)
		probe_target(ready[1]);
	close(ready[1]);
	if (probe_asks > 0 && read(ready[0], &no, 1) == 1 && !no)
		r = probe_in_child(f);
	close(ready[0]);
	if (probe_asks > 0) {
		kill(probe_asks, SIGKILL);
		while (waitpid(probe_asks, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return r;
}

/* As each program that is started in a session does. */
static int probe_enter(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, probe_asks, 0);

	if (pidfd < 0)
		return -errno;
	if (geteuid() && setns(pidfd, CLONE_NEWUSER))
		return -errno;
	if (setns(pidfd, CLONE_NEWNS) && (errno != EPERM || setns(pidfd, CLONE_NEWUSER) || setns(pidfd, CLONE_NEWNS)))
		return -errno;
	return 0;
}

/*
 * Listeners exist since Linux 5.0, those that can pass descriptors since 5.9. The kernel checks whether the call exists
 * first, then the flag.
 */
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
		return fd == -ENOMEM ? fd : PROBE_UNNEEDED;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, (unsigned long)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) ? -errno : 0;
}

/* As the supervisor does, which is not an ancestor of the program. */
static int probe_reader(void)
{
	char there;

	/* Any address will do: a child has the same ones. */
	return process_peek(AT_FDCWD, probe_asks, (uint64_t)(uintptr_t)&probe_asks, &there, 1);
}

static bool probe_found(const char *program, char *out, size_t size)
{
	const char *given = getenv("PATH");
	char path[4096], *at = path, *dir;

	snprintf(path, sizeof(path), "%s", given ? given : "/usr/bin:/bin");
	while ((dir = strsep(&at, ":")))
		if ((size_t)snprintf(out, size, "%s/%s", dir, program) < size && !access(out, X_OK))
			return true;
	return false;
}

static int probe_fusermount(void)
{
	char path[4200];
	struct statvfs fs;
	struct stat st;

	if (!probe_found("fusermount3", path, sizeof(path)))
		return -ENOENT;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0)
		return -EPERM;
	if (stat(path, &st) || st.st_uid || !(st.st_mode & S_ISUID) || statvfs(path, &fs) || fs.f_flag & ST_NOSUID)
		return -ENOEXEC;
	return 0;
}

/* The kernel looks up the path before it checks rights; a filter refuses at once. */
static int probe_mount_call(void)
{
	return mount("none", "/proc/none", "tmpfs", 0, NULL) && errno == EPERM ? -EPERM : 0;
}

static int probe_dmuse_mount(void)
{
	int r = probe_mount_call();

	if (r || geteuid())
		return r ? r : probe_fusermount();
	return unshare(CLONE_NEWNS) ? -errno : PROBE_UNNEEDED;
}

/* In a user namespace the kernel mounts no file systems from disks. */
static int probe_loop(void)
{
	struct err e = ERR_INIT;
	bool user_ns = true;

	if (holder_unshare(&user_ns, &e) || user_ns)
		return PROBE_UNNEEDED;
	return probe_open("/dev/loop-control");
}

/* FUSE_NOTIFY_RESEND exists since Linux 6.9. A kernel tells only a server that it serves. */
static int probe_restart(void)
{
	const char *seconds = getenv("DMUSE_RESTART");
	unsigned major, minor;
	struct utsname u;

	if (seconds && *seconds && !strtoul(seconds, NULL, 10))
		return -ECANCELED;
	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return -ENOSYS;
	return major > 6 || (major == 6 && minor >= 9) ? 0 : -ENOSYS;
}

int feature_probe(enum feature p)
{
	switch (p) {
	case FEATURE_FUSE:
		return probe_open(feature_fuse_device());
	case FEATURE_NAMESPACES:
		return probe_in_child(probe_namespaces);
	case FEATURE_FUSE_MOUNT:
		return probe_in_child(probe_fuse_mount);
	case FEATURE_MOUNTS:
		return probe_in_child(probe_mounts);
	case FEATURE_ENTER:
		return probe_another(probe_enter);
	case FEATURE_SECCOMP:
		return probe_in_child(probe_seccomp);
	case FEATURE_MEMORY:
		return probe_another(probe_reader);
	case FEATURE_SPEED:
		return probe_in_child(probe_speed);
	case FEATURE_SYS:
		return access("/sys/dev/block", F_OK) ? -errno : 0;
	case FEATURE_LOOP:
		return probe_in_child(probe_loop);
	case FEATURE_RESTART:
		return probe_restart();
	default:
		return probe_in_child(probe_dmuse_mount);
	}
}

int feature_missing(struct err *e)
{
	for (enum feature p = 0; p < FEATURES; p++) {
		int r = feature_is_needed(p) ? feature_probe(p) : 0;

		if (r < 0)
			return feature_fail(p, r, e);
	}
	return 0;
}
