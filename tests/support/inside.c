/* SPDX-License-Identifier: BSD-2-Clause */
/* See inside.h. */
#include "support/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/temp.h"

#define OUTPUT 65536

struct answer {
	int err;
	struct stat st;
	char text[OUTPUT];
};

static struct {
	pid_t pid;
	int fd;
	bool answered;
	char place[TEMP_PATH];
} in;
static struct answer answer;

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int child_namespaces(bool user)
{
	char map[40];
	int r = 0;

	if (unshare(CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)))
		return -errno;
	if (user) {
		r = write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %d 1", INSIDE_USER);
		r = r ? r : write_file("/proc/self/uid_map", map);
		r = r ? r : write_file("/proc/self/gid_map", map);
	}
	if (!r && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		r = -errno;
	return r;
}

/* Root's /dev/fuse is not accessible to others: they get a node of their own. */
static int child_become_user(void)
{
	char node[TEMP_PATH + 8];

	snprintf(node, sizeof(node), "%s.fuse", in.place);
	if (mknod(node, S_IFCHR | 0600, makedev(10, 229)) || chown(node, INSIDE_USER, INSIDE_USER) ||
	    chown(in.place, INSIDE_USER, INSIDE_USER) || setgid(INSIDE_USER) || setuid(INSIDE_USER) || prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	return 0;
}

static int child_mount(bool user)
{
	char options[120], node[TEMP_PATH + 8] = "/dev/fuse";
	int fd, r = user ? child_become_user() : 0;

	if (user)
		snprintf(node, sizeof(node), "%s.fuse", in.place);
	r = r ? r : child_namespaces(user);
	if (r)
		return r;
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other,default_permissions", fd);
	return mount("dmuse", in.place, "fuse.dmuse", 0, options) ? -errno : fd;
}

static void send_fd(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { &fd, sizeof(fd) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = room;
		m.msg_controllen = sizeof(room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	sendmsg(socket, &m, 0);
}

static int receive_fd(int socket)
{
	char room[CMSG_SPACE(sizeof(int))];
	int fd = -EIO;
	struct iovec iov = { &fd, sizeof(fd) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) > 0 && fd >= 0 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void child_sh(const char *script)
{
	FILE *p;
	size_t n = 0;

	if (chdir(in.place)) {
		strcpy(answer.text, "no such place");
		return;
	}
	setenv("SCRIPT", script, 1);
	setenv("LC_ALL", "C", 1);
	p = popen("exec timeout -k 1 100 sh -c \"$SCRIPT\" 2>&1", "r");	/* or what never happens would be waited for forever */
	if (p) {
		n = fread(answer.text, 1, OUTPUT - 1, p);
		pclose(p);
	}
	while (n && answer.text[n - 1] == '\n')
		n--;
	answer.text[n] = '\0';
	if (chdir("/"))
		return;
}

static void child_serve(int socket)
{
	char order[OUTPUT], path[OUTPUT + sizeof(in.place)];
	ssize_t n;

	while ((n = recv(socket, order, sizeof(order) - 1, 0)) > 0) {
		order[n] = '\0';
		memset(&answer, 0, offsetof(struct answer, text) + 1);
		snprintf(path, sizeof(path), "%s/%s", in.place, order + 1);
		if (*order == 's')
			answer.err = lstat(path, &answer.st) ? -errno : 0;
		else
			child_sh(order + 1);
		send(socket, &answer, offsetof(struct answer, text) + strlen(answer.text) + 1, 0);
	}
}

int inside_begin(bool user)
{
	int fds[2], fd, size = 2 * OUTPUT;

	if (!mkdtemp(temp_template(in.place, "inside")) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	in.pid = fork();
	if (!in.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		fd = child_mount(user);
		send_fd(fds[1], fd);
		close(fd);
		child_serve(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	in.fd = fds[0];
	fd = receive_fd(in.fd);
	if (fd < 0)
		inside_end();
	return fd;
}

pid_t inside_pid(void)
{
	return in.pid;
}

const char *inside_place(void)
{
	return in.place;
}

void inside_end(void)
{
	char node[TEMP_PATH + 8];

	close(in.fd);
	waitpid(in.pid, NULL, 0);
	snprintf(node, sizeof(node), "%s.fuse", in.place);
	unlink(node);
	rmdir(in.place);
}

static void inside_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	if (recv(w->fd, &answer, sizeof(answer), 0) <= 0) {
		answer.err = -EPIPE;
		*answer.text = '\0';
	}
	in.answered = true;
}

static void inside_ask(struct fixture *f, char what, const char *words)
{
	struct loop_watch w = { .fd = in.fd, .events = EPOLLIN, .ready = inside_ready };
	char order[OUTPUT];

	snprintf(order, sizeof(order), "%c%s", what, words);
	in.answered = false;
	assert_int_equal(loop_watch(f->loop, &w), 0);
	assert_true(send(in.fd, order, strlen(order), 0) > 0);
	while (!in.answered)
		loop_turn(f->loop, -1);
	loop_unwatch(f->loop, &w);
}

int inside_stat(struct fixture *f, const char *path, struct stat *st)
{
	inside_ask(f, 's', path);
	*st = answer.st;
	return answer.err;
}

char *inside_sh(struct fixture *f, const char *script)
{
	inside_ask(f, 'x', script);
	return strdup(answer.text);
}
