/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a journal is made, opened and locked. It is made beside and renamed, so that it never lacks its head. The
 * lock is one of fcntl(2): it is the process's alone, also if it has forked, and its owner can be named.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal_own.h"
#include "base/own_file.h"

int journal_write_at(int fd, const void *p, size_t n, uint64_t at)
{
	ssize_t r;
	size_t done;

	for (done = 0; done < n; done += (size_t)r) {
		r = pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));
		if (r < 0 && errno == EINTR)
			r = 0;
		else if (r <= 0)
			return r ? -errno : -ENOSPC;
	}
	return 0;
}

int journal_zero(int fd, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[JOURNAL_BLOCK];
	uint64_t n;
	int r = 0;

	if (from == to || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) == 0)
		return 0;
	for (; !r && from < to; from += n) {
		n = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
		r = journal_write_at(fd, zeros, n, from);
	}
	return r;
}

int journal_slot_write(int fd, unsigned which, const struct journal_slot *s)
{
	uint8_t out[JOURNAL_SLOT_SIZE] = { 0 };

	if (s)
		journal_slot_put(out, s);
	return journal_write_at(fd, out, sizeof(out), (1 + which) * JOURNAL_BLOCK);
}

/* An empty journal. One write, so that a memfd has nothing or all of it. */
static int journal_file_fill(int fd)
{
	static const struct journal_slot slot = { .log = 1, .start = JOURNAL_LOGS };
	uint8_t *head = calloc(1, JOURNAL_LOGS);
	int r;

	if (!head)
		return -ENOMEM;
	journal_mark_put(head);
	journal_slot_put(head + JOURNAL_BLOCK, &slot);
	r = ftruncate(fd, 0) ? -errno : journal_write_at(fd, head, JOURNAL_LOGS, 0);
	free(head);
	return r;
}

static int journal_file_failed(const char *path, int code, struct err *e)
{
	return err_set(e, code, "cannot create %s: %s", path, strerror(-code));
}

/* PATH becomes the file FD, which was made as BESIDE; if another daemon has been faster, its file stays. */
static int journal_file_place(const char *path, const char *beside, int fd, bool durable)
{
	int r = journal_file_fill(fd);

	if (!r && durable && fsync(fd))
		r = -errno;
	if (!r && renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) && errno != EEXIST)
		r = errno == EINVAL && (!link(beside, path) || errno == EEXIST) ? 0 : -errno;	/* NFS knows link(2) only */
	unlink(beside);
	return r;
}

/* A name may outlive a power cut only when its directory is on disk, too. */
static int journal_file_sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, r = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return r;
}

static int journal_file_make(const char *path, const char *beside, bool durable, struct err *e)
{
	int fd, r;

	unlink(beside);		/* of a process that had this number */
	fd = own_file_open(beside, O_RDWR, e);
	if (fd < 0)
		return fd;
	r = journal_file_place(path, beside, fd, durable);
	close(fd);
	if (!r && durable)
		r = journal_file_sync_dir(path);
	return r ? journal_file_failed(path, r, e) : 0;
}

/* Nobody is waited for: whoever can read a directory can lock it. */
static int journal_file_new(const char *path, bool durable, struct err *e)
{
	char *beside;
	int r;

	if (asprintf(&beside, "%s.new.%d", path, (int)getpid()) < 0)
		return journal_file_failed(path, -ENOMEM, e);
	r = journal_file_make(path, beside, durable, e);
	free(beside);
	return r;
}

static int journal_file_busy(const char *path, pid_t owner, struct err *e)
{
	err_set(e, -EBUSY, "%s is used by another daemon", path);
	if (owner > 0)
		err_append(e, " (pid %d)", (int)owner);
	return err_append(e, ": stop that one first, or choose another directory");
}

/* -EAGAIN: the file was removed meanwhile. */
static int journal_file_lock(const char *path, int fd, struct err *e)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat mine, there;
	int r;

	if (fcntl(fd, F_SETLK, &l)) {
		r = -errno;
		if (r != -EAGAIN && r != -EACCES)
			return err_set(e, r, "cannot lock %s: %s", path, strerror(-r));
		if (fcntl(fd, F_GETLK, &l) || l.l_type == F_UNLCK)
			l.l_pid = 0;
		return journal_file_busy(path, l.l_pid, e);
	}
	return fstat(fd, &mine) || lstat(path, &there) || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev ?
	       -EAGAIN : 0;
}

static int journal_file_named(struct journal *j, struct err *e)
{
	int r;

	do {
		j->fd = own_file_open_old(j->path, j->read_only ? O_RDONLY : O_RDWR, e);
		r = j->fd < 0 ? j->fd : 0;
		if (r == -ENOENT && !j->read_only) {
			r = journal_file_new(j->path, j->durable, e);
			if (!r)
				r = -EAGAIN;
		} else if (!r && !j->read_only)
			r = journal_file_lock(j->path, j->fd, e);
		if (r && j->fd >= 0) {
			close(j->fd);
			j->fd = -1;
		}
	} while (r == -EAGAIN);
	return r;
}

int journal_file_open(struct journal *j, const struct journal_opts *o, struct err *e)
{
	struct stat st;
	int r;

	if (o->fd < 0) {
		j->ours = true;
		return journal_file_named(j, e);
	}
	j->fd = o->fd;
	if (fstat(j->fd, &st))
		return err_set(e, -errno, "cannot access %s: %s", j->path, strerror(errno));
	r = st.st_size ? 0 : journal_file_fill(j->fd);
	return r ? journal_file_failed(j->path, r, e) : 0;
}
