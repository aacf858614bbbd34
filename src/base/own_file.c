/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See own_file.h. A lock file is removed by the process that has it locked; one that has locked a removed file tries
 * again. The lock is flock(2)'s; that it will be unlocked soon is a lock of the other kind (F_OFD_SETLK) on the same open
 * file, because others can ask about that without taking it.
 */
#include "base/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool own_user(uid_t uid)
{
	return !uid || uid == geteuid();
}

static int own_file_refuse(const char *path, const char *what, struct err *e)
{
	return err_set(e, -EPERM, "%s is %s; it must be a regular file of user %u: remove it, or choose "
		       "another directory", path, what, (unsigned)geteuid());
}

static int own_file_check(const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(e, -errno, "cannot access %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return own_file_refuse(path, "not a regular file", e);
	if (st.st_uid != geteuid())
		return own_file_refuse(path, "another user's", e);
	if (st.st_nlink > 1)
		return own_file_refuse(path, "a file with more than one link", e);
	return 0;
}

/* Opening a FIFO without a reader, or a socket, fails with ENXIO. */
static int own_file_failed(const char *path, int code, struct err *e)
{
	if (code == -ELOOP)
		return own_file_refuse(path, "a symbolic link", e);
	if (code == -ENXIO || code == -EISDIR)
		return own_file_refuse(path, "not a regular file", e);
	return err_set(e, code, "cannot open %s: %s", path, strerror(-code));
}

int own_file_open_old(const char *path, int flags, struct err *e)
{
	int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return own_file_failed(path, -errno, e);
	r = own_file_check(path, fd, e);
	if (!r)
		return fd;
	close(fd);
	return r;
}

int own_file_open(const char *path, int flags, struct err *e)
{
	return own_file_open_old(path, flags | O_CREAT, e);
}

static int own_file_flock(int fd, bool wait)
{
	int r;

	do
		r = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) ? -errno : 0;
	while (r == -EINTR);
	return r;
}

/* Is FD still the file at PATH? */
static bool own_file_is(const char *path, int fd)
{
	struct stat mine, there;

	return !fstat(fd, &mine) && !lstat(path, &there) && there.st_ino == mine.st_ino && there.st_dev == mine.st_dev;
}

int own_file_lock(const char *path, bool wait, struct err *e)
{
	int fd, r;

	for (;;) {
		fd = own_file_open(path, O_RDWR, e);
		if (fd < 0)
			return fd;
		r = own_file_flock(fd, wait);
		if (!r && own_file_is(path, fd))
			return fd;
		close(fd);
		if (r)
			return err_set(e, r, "cannot lock %s: %s", path, strerror(-r));
	}
}

void own_file_unlock(const char *path, int fd)
{
	unlink(path);
	close(fd);
}

static int own_file_mark(int fd, int how, short type, struct flock *found)
{
	int r;

	*found = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
	do
		r = fcntl(fd, how, found) ? -errno : 0;
	while (r == -EINTR);
	return r;
}

void own_file_unlock_soon(int fd, bool soon)
{
	struct flock mark;

	own_file_mark(fd, F_OFD_SETLK, soon ? F_WRLCK : F_UNLCK, &mark);
}

bool own_file_is_unlocked_soon(const char *path)
{
	struct err e = ERR_INIT;
	struct flock mark;
	int fd = own_file_open_old(path, O_RDONLY, &e);
	bool soon;

	if (fd < 0)
		return false;
	soon = !own_file_mark(fd, F_OFD_GETLK, F_RDLCK, &mark) && mark.l_type != F_UNLCK;
	close(fd);
	return soon;
}

void own_file_await_unlock(const char *path)
{
	struct err e = ERR_INIT;
	struct flock mark;
	int fd = own_file_open_old(path, O_RDONLY, &e);

	if (fd < 0)
		return;
	own_file_mark(fd, F_OFD_SETLKW, F_RDLCK, &mark);
	close(fd);
}
