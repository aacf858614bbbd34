/* SPDX-License-Identifier: BSD-2-Clause */
/* See own_socket.h. With the lock held, one may check whether an existing socket is dead, and replace it. */
#include "base/own_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "base/own_file.h"

#define LOCK_PATH "%s.lock"
#define SOCKET_BACKLOG 4096
#define SOCKET_TYPE (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static int socket_address(struct own_socket *s, const struct own_socket_opts *o, struct err *e)
{
	*s = OWN_SOCKET_NONE;
	s->keep = o->keep;
	s->at.sun_family = AF_UNIX;
	if (strlen(o->path) >= sizeof(s->at.sun_path))
		return err_set(e, -ENAMETOOLONG, "the path of the %s socket, '%s', has %zu bytes: the limit is %zu", o->name,
			       o->path, strlen(o->path), sizeof(s->at.sun_path) - 1);
	strcpy(s->at.sun_path, o->path);
	snprintf(s->lock_path, sizeof(s->lock_path), LOCK_PATH, o->path);
	return 0;
}

static int socket_taken(const struct own_socket *s, struct err *e)
{
	if (own_file_is_unlocked_soon(s->lock_path))
		return err_set(e, -EADDRINUSE, "the server on '%s' has not ended yet: try again when it has", s->at.sun_path);
	return err_set(e, -EADDRINUSE, "a server is already listening on '%s'", s->at.sun_path);
}

static void socket_lock_name(const struct own_socket *s, char name[KEEP_NAME])
{
	snprintf(name, KEEP_NAME, "%s-lock", s->keep);
}

/* An earlier daemon's, unless it has ended. */
static bool socket_resume_lock(struct own_socket *s)
{
	char name[KEEP_NAME];

	if (!s->keep)
		return false;
	socket_lock_name(s, name);
	s->lock = keep_take(name);
	if (s->lock >= 0)
		own_file_unlock_soon(s->lock, false);
	return s->lock >= 0;
}

static int socket_lock(struct own_socket *s, struct err *e)
{
	int r = own_file_lock(s->lock_path, false, e);

	if (r == -EWOULDBLOCK)
		return socket_taken(s, e);
	if (r < 0)
		return r;
	s->lock = r;
	return 0;
}

/* Is nobody listening there? If the queue is full (EAGAIN), there is a server. */
static int socket_check_dead(const struct own_socket *s, struct err *e)
{
	int fd = socket(AF_UNIX, SOCKET_TYPE, 0), r;

	if (fd < 0)
		return err_set(e, -errno, "cannot make a socket: %s", strerror(errno));
	r = connect(fd, (const struct sockaddr *)&s->at, sizeof(s->at)) ? -errno : 0;
	close(fd);
	if (r == -ECONNREFUSED)
		return 0;
	if (!r || r == -EAGAIN)
		return socket_taken(s, e);
	return err_set(e, r, "cannot find out whether a server is listening on '%s': %s", s->at.sun_path, strerror(-r));
}

static int socket_clear_path(const struct own_socket *s, const char *name, struct err *e)
{
	const char *path = s->at.sun_path;
	struct stat there;
	int r;

	if (lstat(path, &there))
		return errno == ENOENT ? 0 : err_set(e, -errno, "cannot access '%s': %s", path, strerror(errno));
	if (!S_ISSOCK(there.st_mode))
		return err_set(e, -EEXIST, "'%s' exists and is not a socket: choose another path for the %s socket", path, name);
	if (!own_user(there.st_uid))
		return err_set(e, -EPERM, "'%s' is the socket of user %u: choose another path for the %s socket", path,
			       (unsigned)there.st_uid, name);
	r = socket_check_dead(s, e);
	if (!r && unlink(path))
		r = err_set(e, -errno, "cannot replace the stale socket '%s': %s", path, strerror(errno));
	return r;
}

/* The file is what identifies it for clients, so it must still be there. */
static bool socket_is_at(const struct own_socket *s, int fd, struct stat *there)
{
	struct sockaddr_un at = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(at);

	return !getsockname(fd, (struct sockaddr *)&at, &len) && at.sun_family == AF_UNIX &&
	       !strncmp(at.sun_path, s->at.sun_path, sizeof(at.sun_path)) && !lstat(s->at.sun_path, there) && S_ISSOCK(there->st_mode);
}

/* Continues with the socket of the daemon that died. False: there is none that could be used. */
static bool socket_resume(struct own_socket *s)
{
	int fd = s->keep ? keep_take(s->keep) : -1;
	struct stat there;

	if (fd < 0)
		return false;
	if (!socket_is_at(s, fd, &there) || listen(fd, SOCKET_BACKLOG)) {	/* from now on it is ours, also for clients */
		close(fd);
		keep_drop(s->keep);
		return false;
	}
	s->fd = fd;
	s->dev = there.st_dev;
	s->ino = there.st_ino;
	return true;
}

/* Without, only clients that connect at the wrong moment notice. */
static void socket_keep(const struct own_socket *s)
{
	struct err e = ERR_INIT;
	char lock[KEEP_NAME];

	if (!s->keep)
		return;
	socket_lock_name(s, lock);
	if (keep_fd(s->keep, s->fd, &e) || (s->lock >= 0 && keep_fd(lock, s->lock, &e)))
		log_warn("socket %s: %s", s->at.sun_path, e.text);
}

/* The mode is restrictive from the start (the umask can only remove bits), and widened if that is wanted. */
static int socket_listen(struct own_socket *s, const struct own_socket_opts *o, struct err *e)
{
	const char *path = s->at.sun_path;
	struct stat made;

	s->fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (s->fd < 0 || fchmod(s->fd, 0600))
		return err_set(e, -errno, "cannot make a socket: %s", strerror(errno));
	if (bind(s->fd, (const struct sockaddr *)&s->at, sizeof(s->at)))
		return err_set(e, -errno, "cannot create the %s socket '%s': %s", o->name, path, strerror(errno));
	if (!lstat(path, &made)) {
		s->dev = made.st_dev;
		s->ino = made.st_ino;
	}
	if ((o->others && chmod(path, 0666)) || listen(s->fd, SOCKET_BACKLOG))
		return err_set(e, -errno, "cannot listen on '%s': %s", path, strerror(errno));
	return 0;
}

int own_socket_new(struct own_socket *s, const struct own_socket_opts *o, struct err *e)
{
	int r = socket_address(s, o, e);
	bool locked = !r && o->lock && socket_resume_lock(s);

	if (!r && socket_resume(s))
		return 0;
	if (!r && o->lock && !locked)
		r = socket_lock(s, e);
	if (!r)
		r = socket_clear_path(s, o->name, e);
	if (!r)
		r = socket_listen(s, o, e);
	if (r)
		own_socket_free(s);
	else
		socket_keep(s);
	return r;
}

int own_socket_take(struct own_socket *s, const struct own_socket_opts *o, int fd, struct err *e)
{
	int listens = 0, flags = fcntl(fd, F_GETFL);
	socklen_t len = sizeof(listens);
	int r = socket_address(s, o, e);

	s->keep = NULL;		/* by whoever has passed it */
	if (r)
		return r;
	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) || !listens)
		return err_set(e, -EINVAL, "descriptor %d, passed for '%s', is not a listening socket", fd, o->path);
	if (listen(fd, SOCKET_BACKLOG))		/* again: from now on it is ours, also for clients */
		return err_set(e, -errno, "cannot listen on '%s': %s", o->path, strerror(errno));
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return err_set(e, -errno, "cannot use descriptor %d for '%s': %s", fd, o->path, strerror(errno));
	s->fd = fd;
	return 0;
}

void own_socket_deafen(struct own_socket *s)
{
	if (s->lock >= 0)
		own_file_unlock_soon(s->lock, true);
	if (s->keep)
		keep_drop(s->keep);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

bool own_socket_is_ending(const char *path)
{
	char lock[sizeof(((struct own_socket *)0)->lock_path)];

	return snprintf(lock, sizeof(lock), LOCK_PATH, path) < (int)sizeof(lock) && own_file_is_unlocked_soon(lock);
}

void own_socket_await_end(const char *path)
{
	char lock[sizeof(((struct own_socket *)0)->lock_path)];

	if (snprintf(lock, sizeof(lock), LOCK_PATH, path) < (int)sizeof(lock))
		own_file_await_unlock(lock);
}

void own_socket_free(struct own_socket *s)
{
	char lock[KEEP_NAME];
	struct stat there;

	own_socket_deafen(s);
	if (s->ino && !lstat(s->at.sun_path, &there) && there.st_ino == s->ino && there.st_dev == s->dev)
		unlink(s->at.sun_path);
	s->ino = 0;
	if (s->lock < 0)
		return;
	own_file_unlock(s->lock_path, s->lock);
	s->lock = -1;
	if (!s->keep)
		return;
	socket_lock_name(s, lock);
	keep_drop(lock);
}
