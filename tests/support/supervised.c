/* SPDX-License-Identifier: BSD-2-Clause */
/* See supervised.h. */
#include "support/supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "session/supervisor.h"

char supervised_place[256], supervised_io[300];
bool supervised_usable;

/* Sends descriptor FD, or receives one. */
static int fd_pass(int socket, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	if (fd < 0) {
		if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != 1 || !(h = CMSG_FIRSTHDR(&m)))
			return -1;
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
		return fd;
	}
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	return sendmsg(socket, &m, 0) == 1 ? 0 : -1;
}

static void supervise(int socket)
{
	struct supervisor_opts o = { .io_dir = supervised_io };
	int listener = fd_pass(socket, -1);

	if (listener < 0)
		_exit(1);
	_exit(supervisor_serve(listener, &o) ? 1 : 0);
}

static void run_inside(int socket, bool (*what)(void))
{
	int listener = supervisor_filter();

	if (listener < 0)
		_exit(100 - listener);
	if (fd_pass(socket, listener))
		_exit(2);
	close(listener);
	close(socket);
	_exit(what() ? 0 : 1);
}

int supervised_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* WHAT is true under the filter, and the supervisor ends afterwards. */
void supervised(bool (*what)(void))
{
	int pair[2];
	pid_t s, c;

	if (!supervised_usable)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	s = fork();
	if (!s) {
		close(pair[0]);
		supervise(pair[1]);
	}
	c = fork();
	if (!c) {
		alarm(60);
		run_inside(pair[0], what);
	}
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(supervised_status(c), 0);
	assert_int_equal(supervised_status(s), 0);
}

/* The content read from FD, which it closes, is TEXT. */
bool supervised_says(int fd, const char *text)
{
	char got[64];
	ssize_t n = fd < 0 ? -1 : pread(fd, got, sizeof(got) - 1, 0);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	got[n] = '\0';
	return !strcmp(got, text);
}

bool supervised_refused(const char *path, int flags, int error)
{
	int fd = open(path, flags);

	if (fd < 0 && errno == error)
		return true;
	fprintf(stderr, "# %s: %s\n", path, fd < 0 ? strerror(errno) : "it was opened");
	return false;
}

bool supervised_become(uid_t uid, size_t n, const gid_t *groups)
{
	return !setgroups(n, groups) && !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t supervised_child(void)
{
	pid_t child = fork();

	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

bool supervised_nodes(const char *dir)
{
	char disk[40], control[40];

	snprintf(disk, sizeof(disk), "%s/disk", dir);
	snprintf(control, sizeof(control), "%s/control", dir);
	return !mknod(disk, S_IFBLK | 0666, makedev(252, 0)) && !mknod(control, S_IFCHR | 0666, makedev(10, 236));
}

int supervised_begin(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(supervised_place, sizeof(supervised_place), "%s", tmp ? tmp : "/tmp");
	if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", supervised_place, "tmpfs", 0, "mode=755")) {
		printf("# skip: this takes root and a mount namespace: %s\n", strerror(errno));
		return 0;
	}
	snprintf(supervised_io, sizeof(supervised_io), "%s/io", supervised_place);
	if (chdir(supervised_place) || mkdir("io", 0700) || mkdir("sub", 0755) || symlink("../disk", "sub/link"))
		return -1;
	umask(0);
	supervised_usable = !mknod("control", S_IFCHR | 0600, makedev(10, 236)) && !mknod("disk", S_IFBLK | 0660, makedev(252, 0)) &&
		 !mknod("ubd", S_IFBLK | 0660, makedev(98, 16)) && !mknod("none", S_IFBLK | 0660, makedev(252, 7)) &&
		 !mknod("readable", S_IFBLK | 0644, makedev(252, 0)) && !mknod("grouped", S_IFBLK | 0660, makedev(252, 0)) &&
		 !mknod("sub/inner", S_IFBLK | 0660, makedev(252, 0)) && !chown("grouped", 0, 6);
	static const char *const files[][2] = { { "io/control", "control" }, { "io/252:0", "252:0" }, { "io/98:16", "98:16" },
						{ "file", "file" } };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int fd = open(files[i][0], O_CREAT | O_WRONLY, 0666);

		if (fd < 0 || write(fd, files[i][1], strlen(files[i][1])) < 0 || close(fd))
			return -1;
	}
	return 0;
}

int supervised_end(void **state)
{
	(void)state;
	return chdir("/") || (supervised_usable && umount2(supervised_place, MNT_DETACH)) ? -1 : 0;
}
