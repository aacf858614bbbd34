/* SPDX-License-Identifier: BSD-2-Clause */
/* Places for tests of stores: see place.h. */
#include "support/place.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[PLACE_PATH];

void place_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/place.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
}

void place_end(void)
{
	assert_true(*dir && place_run("rm -rf \"$PWD\""));
	*dir = '\0';
}

void place_path(char out[PLACE_PATH], const char *name)
{
	assert_true(snprintf(out, PLACE_PATH, "%s/%s", dir, name) < PLACE_PATH);
}

void place_file(char out[PLACE_PATH], const char *name, uint64_t size)
{
	int fd;

	place_path(out, name);
	fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

uint64_t place_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

bool place_run(const char *command)
{
	char line[2048];

	assert_true(snprintf(line, sizeof(line), "exec >/dev/null 2>&1; cd '%s' && { %s; }", dir, command) < (int)sizeof(line));
	return system(line) == 0;
}

bool place_tmpfs(const char *name, uint64_t size)
{
	char path[PLACE_PATH], opts[64];

	place_path(path, name);
	snprintf(opts, sizeof(opts), "size=%llu", (unsigned long long)size);
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && !mkdir(path, 0700) &&
	       !mount("none", path, "tmpfs", 0, opts);
}

void place_tmpfs_end(const char *name)
{
	char path[PLACE_PATH];

	place_path(path, name);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static int loop_configure(char out[PLACE_PATH], int n, const char *path, uint32_t block, bool readonly)
{
	struct loop_config c = { .block_size = block };
	int fd, writable = 0;

	snprintf(out, PLACE_PATH, "/dev/loop%d", n);
	fd = open(out, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	c.fd = (uint32_t)open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	c.info.lo_flags = LO_FLAGS_AUTOCLEAR | (readonly ? LO_FLAGS_READ_ONLY : 0);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &c)) {
		close(fd);
		fd = -1;
	}
	close((int)c.fd);
	if (fd >= 0 && !readonly)	/* a previous user may have marked it read-only, which outlasts the backing file */
		ioctl(fd, BLKROSET, &writable);
	return fd;
}

/*
 * Only one process at a time, until its end: a loop device that was read-only stays so for a moment, for whoever gets
 * it next. The descriptor has a high number so that it is closed last.
 */
static void loop_lock(void)
{
	enum { LOCK_FD = 1000 };
	int fd;

	if (fcntl(LOCK_FD, F_GETFD) >= 0)
		return;
	fd = open("/dev/loop-control", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dup3(fd, LOCK_FD, O_CLOEXEC);
	close(fd);
	flock(LOCK_FD, LOCK_EX);
}

/* Another process may take the free one first: then the next is requested. */
int place_loop(char out[PLACE_PATH], const char *path, uint32_t block, bool readonly)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -1, n, i;

	loop_lock();
	for (i = 0; control >= 0 && fd < 0 && i < 10; i++) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		if (n >= 0)
			fd = loop_configure(out, n, path, block, readonly);
	}
	if (control >= 0)
		close(control);
	return fd;
}
