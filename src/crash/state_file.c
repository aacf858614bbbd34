/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See state_file.h. The socket carries the FUSE and the mount namespace (as descriptors), then names of states, each of which is
 * answered with 0 or -errno; an empty one is the end.
 */
#include "crash/state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/state_serve.h"
#include "crash/talk.h"
#include "session/feature.h"

#define KILL_PASSES 100		/* a process that cannot die at once is found again */

/* The process is in the mount namespace. */
static bool serve_is_in(pid_t pid, const struct stat *space)
{
	struct stat st;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return !stat(path, &st) && st.st_dev == space->st_dev && st.st_ino == space->st_ino;
}

/* The descriptor comes first: when the process is looked at, its number is still its own. */
static bool serve_kill_one(pid_t pid, const struct stat *space)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool found;

	if (fd < 0)
		return false;
	found = serve_is_in(pid, space);
	if (found)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	close(fd);
	return found;
}

static bool serve_kill_once(const struct stat *space)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) > 0)
			found |= serve_kill_one(atoi(entry->d_name), space);
	if (proc)
		closedir(proc);
	return found;
}

/*
 * All processes of a mount namespace, which has no other use than that of the caller who has ended, and what they start
 * meanwhile. SPACE keeps the namespace: the number of one that is gone may be another's in a moment.
 */
static void serve_kill(int space)
{
	struct stat st;
	int passes = KILL_PASSES;

	if (!fstat(space, &st) && !serve_is_in(getpid(), &st))
		while (serve_kill_once(&st) && --passes)
			;
}

/* True: until it is told to end. False: until the caller's end. */
static bool serve_states(int socket, const struct history *h, struct state_serve *serve)
{
	struct talk_head head;
	struct text name = TEXT_INIT;
	struct err e = ERR_INIT;
	struct state s;
	int r;

	while (talk_receive(socket, &head, &name)) {
		if (!name.len)
			return true;
		r = state_parse(&s, h, text_str(&name), &e);
		if (!r) {
			r = state_serve_become(serve, &s);
			state_free(&s);
		}
		if (!talk_send(socket, (struct talk_head){ .status = r }, ""))
			break;
		text_clear(&name);
	}
	return false;
}

/* Nobody ends it: it sees when its socket is closed, and then ends what a caller that was killed has left. */
static _Noreturn void serve_process(int socket, const struct history *h, const uint8_t *base)
{
	struct state_serve *serve;
	struct state_disk *disk;
	int fd, space, r;

	setsid();
	prctl(PR_SET_NAME, "dmuse-states");
	if (socket > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)socket - 1, 0);
	close_range((unsigned)socket + 1, ~0u, 0);
	fd = talk_receive_fd(socket);
	space = talk_receive_fd(socket);
	r = fd < 0 ? fd : state_disk_new(&disk, h, base);
	if (!r)
		r = state_serve_new(&serve, fd, disk, h->size);
	if (talk_send(socket, (struct talk_head){ .status = r }, "") && !r && serve_states(socket, h, serve))
		_exit(0);
	if (space >= 0) {
		serve_kill(space);
		close(space);		/* perhaps the last of it: what is mounted there is unmounted now, while the thread serves */
	}
	_exit(0);
}

int state_file_start(struct state_file *f, const struct history *h, const uint8_t *base, struct err *e)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a process: %s", strerror(errno));
	f->server = fork();
	if (!f->server)
		serve_process(fds[1], h, base);
	close(fds[1]);
	f->socket = fds[0];
	return f->server < 0 ? err_set(e, -errno, "cannot start a process: %s", strerror(errno)) : 0;
}

static int file_answer(const struct state_file *f, struct err *e)
{
	struct text none = TEXT_INIT;
	struct talk_head head;

	if (!talk_receive(f->socket, &head, &none))
		return err_set(e, -EIO, "the process that serves the states as files has ended");
	text_free(&none);
	return head.status ? err_set(e, head.status, "the states cannot be served as files: %s", strerror(-head.status)) : 0;
}

int state_file_mount(struct state_file *f, const char *directory, struct err *e)
{
	int fd = open(feature_fuse_device(), O_RDWR | O_CLOEXEC), space, r = 0;
	char options[120];

	if (fd < 0)
		return feature_fail(FEATURE_FUSE, -errno, e);
	space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other,default_permissions", fd,
		 (unsigned)geteuid(), (unsigned)getegid());
	if (mount("dmuse", directory, "fuse.dmuse", MS_NOSUID | MS_NODEV, options))
		r = feature_fail(FEATURE_FUSE_MOUNT, -errno, e);
	else if (!talk_send_fd(f->socket, fd) || space < 0 || !talk_send_fd(f->socket, space))
		r = err_set(e, -EIO, "the process that serves the states as files has ended");
	if (space >= 0)
		close(space);
	close(fd);
	return r ? r : file_answer(f, e);
}

int state_file_become(struct state_file *f, const struct state *s, struct err *e)
{
	struct text name = TEXT_INIT;

	state_name(s, &name);
	if (name.failed || !talk_send(f->socket, (struct talk_head){ .status = 0 }, text_str(&name)))
		err_set(e, -EIO, "the process that serves the states as files has ended");
	text_free(&name);
	return e->code ? e->code : file_answer(f, e);
}

void state_file_end(struct state_file *f)
{
	if (talk_send(f->socket, (struct talk_head){ .status = 0 }, ""))
		waitpid(f->server, NULL, 0);
}
