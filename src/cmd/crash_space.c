/* SPDX-License-Identifier: BSD-2-Clause */
/* See crash_space.h. */
#include "cmd/crash_space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/unnamed.h"

#define SPACE_MEMORY "/dev/shm"
#define SPACE_ENOUGH 4u			/* times the size of the disk must be free */
#define SPACE_LOG_SIZE (UINT64_C(1) << 36)	/* sparse */
#define SPACE_PIECE (1u << 20)

static bool space_in_memory(uint64_t size)
{
	struct statvfs v;

	return !access(SPACE_MEMORY, W_OK) && !statvfs(SPACE_MEMORY, &v) && (uint64_t)v.f_bavail * v.f_frsize / SPACE_ENOUGH >= size;
}

/* [AT, END) of one file to the same place in another. */
static int space_copy_data(int from, int to, off_t at, off_t end)
{
	static char buffer[SPACE_PIECE];
	ssize_t n, done;

	for (; at < end; at += n) {
		n = pread(from, buffer, end - at < (off_t)sizeof(buffer) ? (size_t)(end - at) : sizeof(buffer), at);
		if (n <= 0)
			return n ? -errno : -EIO;
		for (done = 0; done < n;) {
			ssize_t w = pwrite(to, buffer + done, (size_t)(n - done), at + done);

			if (w < 0)
				return -errno;
			done += w;
		}
	}
	return 0;
}

/* Without its holes; *END is where its data ends. */
static int space_copy(int from, int to, off_t *end)
{
	off_t data, hole = 0;
	int r = 0;

	for (*end = 0; !r && (data = lseek(from, hole, SEEK_DATA)) >= 0; *end = hole) {
		hole = lseek(from, data, SEEK_HOLE);
		r = hole < 0 ? -errno : space_copy_data(from, to, data, hole);
	}
	return r || errno == ENXIO ? r : -errno;	/* ENXIO: there is no more data */
}

/* The directory where files have names. */
static bool space_directory(struct crash_space *s)
{
	struct text name = TEXT_INIT;

	if (s->directory)
		return true;
	text_printf(&name, "%s/dmuse-crash-XXXXXX", s->where);
	s->directory = text_take(&name);
	if (s->directory && !mkdtemp(s->directory)) {
		free(s->directory);
		s->directory = NULL;
	}
	return s->directory;
}

static char *space_path(struct crash_space *s, enum crash_space_file which)
{
	static const char *const names[SPACE_FILES] = { "data", "log", "after" };
	struct text path = TEXT_INIT;

	if (!space_directory(s))
		return NULL;
	text_printf(&path, "%s/%s", s->directory, names[which]);
	return text_take(&path);
}

/* Where all files have names, it has its name from the beginning. */
static int space_open(struct crash_space *s, enum crash_space_file which)
{
	bool lacks;
	int fd = unnamed_try(s->where, &lacks);

	if (!lacks)
		return fd;
	s->files[which].path = space_path(s, which);
	return s->files[which].path ? open(s->files[which].path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
}

static int space_file(struct crash_space *s, enum crash_space_file which, uint64_t size, struct err *e)
{
	int fd = space_open(s, which);

	s->files[which].fd = fd;
	s->files[which].size = size;
	if (fd >= 0 && !ftruncate(fd, (off_t)size))
		return 0;
	return err_set(e, -errno, "cannot make a file of %llu bytes in %s for the workload's disk: %s", (unsigned long long)size, s->where,
		       strerror(errno));
}

static int space_fill(struct crash_space *s, const char *base, struct err *e)
{
	int fd = open(base, O_RDONLY | O_CLOEXEC), r = fd < 0 ? -errno : 0;
	off_t end;

	if (!r)
		r = space_copy(fd, s->files[SPACE_DATA].fd, &end);
	if (fd >= 0)
		close(fd);
	return r ? err_set(e, r, "cannot copy %s: %s", base, strerror(-r)) : 0;
}

void crash_space_init(struct crash_space *s)
{
	*s = (struct crash_space){ .files = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } } };
}

int crash_space_new(struct crash_space *s, const char *base, const struct recording *r, struct err *e)
{
	s->where = space_in_memory(r->size) ? SPACE_MEMORY : r->directory;
	if (space_file(s, SPACE_DATA, r->size, e) || space_file(s, SPACE_LOG, SPACE_LOG_SIZE, e) || space_file(s, SPACE_AFTER, SPACE_LOG_SIZE, e))
		return e->code;
	return space_fill(s, base, e);
}

static int space_name(struct crash_space *s, enum crash_space_file which)
{
	char fd[40];

	if (s->files[which].path)
		return 0;
	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", s->files[which].fd);
	s->files[which].path = space_path(s, which);
	return s->files[which].path ? linkat(AT_FDCWD, fd, AT_FDCWD, s->files[which].path, AT_SYMLINK_FOLLOW) : -1;
}

int crash_space_show(struct crash_space *s, struct err *e)
{
	int i;

	for (i = 0; i < SPACE_FILES; i++)
		if (space_name(s, i))
			return err_set(e, -errno, "cannot name the workload's disk in %s: %s", s->where, strerror(errno));
	return 0;
}

/* NFS keeps the name of a file that is open: then the directory goes when all are closed. */
static void space_remove_directory(struct crash_space *s)
{
	if (s->directory && rmdir(s->directory) && errno != ENOENT)
		return;
	free(s->directory);
	s->directory = NULL;
}

void crash_space_hide(struct crash_space *s)
{
	int i;

	for (i = 0; i < SPACE_FILES; i++) {
		if (s->files[i].path)
			unlink(s->files[i].path);
		free(s->files[i].path);
		s->files[i].path = NULL;
	}
	space_remove_directory(s);
}

static int space_save(struct crash_space *s, enum crash_space_file which, const struct recording *r, const char *name, struct err *e)
{
	char *path = recording_path(r, name);
	int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1, code = fd < 0 ? -errno : 0;
	off_t end = 0;

	if (!code)
		code = space_copy(s->files[which].fd, fd, &end);
	if (!code && ftruncate(fd, end))
		code = -errno;
	if (fd >= 0)
		close(fd);
	if (code)
		err_set(e, code, "cannot write %s: %s", path ? path : name, strerror(-code));
	else if (!end)
		unlink(path);		/* nothing was logged */
	free(path);
	return code;
}

int crash_space_save(struct crash_space *s, const struct recording *r, struct err *e)
{
	int code = space_save(s, SPACE_LOG, r, RECORDING_LOG, e);

	return code ? code : space_save(s, SPACE_AFTER, r, RECORDING_AFTER, e);
}

void crash_space_free(struct crash_space *s)
{
	int i;

	crash_space_hide(s);
	for (i = 0; i < SPACE_FILES; i++)
		if (s->files[i].fd >= 0)
			close(s->files[i].fd);
	space_remove_directory(s);
	free(s->directory);
}
