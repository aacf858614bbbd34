/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only the kernel can do: as root, directly (mount(2)); as an ordinary user, through fusermount3, which is setuid
 * and returns the descriptor over a socket. On a job's thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define HELPER "fusermount3"
#define HELPER_TEXT 400

static int kernel_open(struct err *e)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return err_set(e, -errno, "/dev/fuse may not be opened by user %u here: `chmod 0666 /dev/fuse`, as root, "
			       "opens it to everybody, as is usual", (unsigned)geteuid());
	return err_set(e, -errno, "/dev/fuse is missing (%s): `modprobe fuse`, as root, makes it; a container needs "
		       "--device /dev/fuse", strerror(errno));
}

static int kernel_failed(const char *directory, struct err *e)
{
	int r = -errno;

	if (r == -EPERM)
		return err_set(e, r, "this daemon may not mount (it lacks CAP_SYS_ADMIN): start the daemon "
			       "as an ordinary user, who mounts with " HELPER);
	return err_set(e, r, "cannot mount on %s: %s", directory, strerror(-r));
}

static int kernel_mount_root(const char *directory, int *out, struct err *e)
{
	char options[80];
	int fd = kernel_open(e);

	if (fd < 0)
		return fd;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fd, (unsigned)geteuid(),
		 (unsigned)getegid());
	if (!mount("dmuse", directory, "fuse.dmuse", MS_NOSUID | MS_NODEV, options)) {
		*out = fd;
		return 0;
	}
	kernel_failed(directory, e);
	close(fd);
	return e->code;
}

/* Our environment plus the number of the socket; to be freed. */
static char **helper_environment(char *variable)
{
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (env) {
		memcpy(env, environ, n * sizeof(*env));
		env[n] = variable;
	}
	return env;
}

/* Starts fusermount3 with SOCKET (or -1) for returning the descriptor, its stderr on LOG. 0 or -errno. */
static int helper_spawn(char *const *argv, int socket, int log, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char variable[40];
	sigset_t none;
	char **env;
	int r;

	snprintf(variable, sizeof(variable), "_FUSE_COMMFD=%d", socket);
	env = helper_environment(variable);
	if (!env)
		return -ENOMEM;
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO);
	r = posix_spawnp(pid, HELPER, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	free(env);
	return -r;
}

/* Reads everything that the helper prints, as one line without its name. */
static void helper_listen(int fd, char text[HELPER_TEXT])
{
	size_t n = 0, start;
	ssize_t r;

	while (n < HELPER_TEXT - 1 && (r = read(fd, text + n, HELPER_TEXT - 1 - n)) > 0)
		n += (size_t)r;
	while (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	start = strncmp(text, HELPER ": ", strlen(HELPER ": ")) ? 0 : strlen(HELPER ": ");
	memmove(text, text + start, n - start + 1);
}

/* Runs fusermount3 to its end: 0, or -errno and what it printed. */
static int helper_run(char *const *argv, int socket, struct err *e)
{
	char text[HELPER_TEXT];
	int log[2], status = 0, r;
	pid_t pid;

	if (pipe2(log, O_CLOEXEC))
		return err_set(e, -errno, "cannot run " HELPER ": %s", strerror(errno));
	r = helper_spawn(argv, socket, log[1], &pid);
	close(log[1]);
	if (!r) {
		helper_listen(log[0], text);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(log[0]);
	if (r == -ENOENT)
		return err_set(e, r, "an ordinary user mounts with " HELPER ", which is not installed: `apt install "
			       "fuse3`");
	if (r)
		return err_set(e, r, "cannot run " HELPER ": %s", strerror(-r));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(e, strstr(text, "busy") ? -EBUSY : -EIO, HELPER ": %s", *text ? text : "it failed");
}

static int helper_receive(int socket)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0 || !(c = CMSG_FIRSTHDR(&m)) ||
	    c->cmsg_type != SCM_RIGHTS)
		return -EIO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int kernel_mount_user(char *directory, int *out, struct err *e)
{
	char *argv[] = { (char[]){ HELPER }, (char[]){ "-o" }, (char[]){ "fsname=dmuse,subtype=dmuse,nosuid,nodev" },
			 (char[]){ "--" }, directory, NULL };
	int fds[2], r = kernel_open(e);

	if (r < 0)
		return r;
	close(r);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot mount on %s: %s", directory, strerror(errno));
	fcntl(fds[1], F_SETFD, 0);
	r = helper_run(argv, fds[1], e);
	close(fds[1]);
	if (!r && (r = helper_receive(fds[0])) < 0)
		err_set(e, r, HELPER " mounted on %s, but passed no descriptor", directory);
	close(fds[0]);
	if (r >= 0)
		*out = r;
	return r < 0 ? r : 0;
}

int fuse_kernel_mount(const char *directory, int *fd, struct err *e)
{
	char *copy;
	int r;

	if (geteuid() == 0)
		return kernel_mount_root(directory, fd, e);
	copy = strdup(directory);
	if (!copy)
		return err_set(e, -ENOMEM, "no memory for a mount");
	r = kernel_mount_user(copy, fd, e);
	free(copy);
	return r;
}

static int kernel_umount_user(char *directory, bool lazy, struct err *e)
{
	char flags[] = "-uz";
	char *argv[] = { (char[]){ HELPER }, flags, (char[]){ "--" }, directory, NULL };

	if (!lazy)
		flags[2] = '\0';
	return helper_run(argv, -1, e);
}

static int kernel_busy(const char *directory, struct err *e)
{
	return err_set(e, -EBUSY, "%s is in use: a program has a file there open or is in that directory (`fuser -vm "
		       "%s` shows "
		       "which)", directory, directory);
}

static int kernel_umount_root(const char *directory, bool lazy, struct err *e)
{
	int r = umount2(directory, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) ? -errno : 0;

	if (!r || r == -EBUSY)
		return r;
	return err_set(e, r, "cannot unmount %s: %s", directory, strerror(-r));
}

int fuse_kernel_umount(const char *directory, bool lazy, int id, struct err *e)
{
	int r = fuse_place_check(directory, id, e);
	char *copy;

	if (r)
		return r == FUSE_PLACE_GONE ? 0 : r;
	copy = strdup(directory);
	if (!copy)
		return err_set(e, -ENOMEM, "no memory to unmount");
	r = geteuid() ? kernel_umount_user(copy, lazy, e) : kernel_umount_root(directory, lazy, e);
	free(copy);
	return r == -EBUSY ? kernel_busy(directory, e) : r;
}
