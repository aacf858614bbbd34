/* SPDX-License-Identifier: BSD-2-Clause */
/* See loops.h. */
#include "session/loops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devnode.h"
#include "session/holder.h"

/* <linux/fs.h> of older systems lacks it. Kernels before 5.15 do, too; there the backing file has to do. */
#define LOOPS_DISKSEQ _IOR(0x12, 128, uint64_t)

#define LOOPS_WORDS 80

/* Identifies this attachment; false: nothing is attached. */
static bool loops_words(int fd, char words[LOOPS_WORDS])
{
	struct loop_info64 info;
	uint64_t seq = 0;

	if (ioctl(fd, LOOP_GET_STATUS64, &info))
		return false;
	ioctl(fd, LOOPS_DISKSEQ, &seq);
	snprintf(words, LOOPS_WORDS, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", seq, (uint64_t)info.lo_device, (uint64_t)info.lo_inode);
	return true;
}

static void loops_path(unsigned n, char path[64])
{
	snprintf(path, 64, HOLDER_LOOPS "/%u", n);
}

void loops_note(int fd)
{
	char path[64], words[LOOPS_WORDS];
	struct stat st;
	int out;

	if (fstat(fd, &st) || !loops_words(fd, words))
		return;
	loops_path(minor(st.st_rdev), path);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		return;
	if (write(out, words, strlen(words)) < 0)
		unlink(path);
	close(out);
}

static bool loops_noted(const char *path, char words[LOOPS_WORDS])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, words, LOOPS_WORDS - 1);

	if (fd >= 0)
		close(fd);
	words[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

/* Where we cannot create a node (an ordinary user), that in /dev is used. */
static int loops_open(unsigned n)
{
	int fd = devnode_open(S_IFBLK, makedev(LOOPS_MAJOR, n), O_RDONLY);
	char path[32];

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/dev/loop%u", n);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool loops_are_ours(unsigned n)
{
	char path[64], noted[LOOPS_WORDS], now[LOOPS_WORDS];
	bool same;
	int fd;

	loops_path(n, path);
	if (!loops_noted(path, noted))
		return false;
	fd = loops_open(n);
	same = fd >= 0 && loops_words(fd, now) && !strcmp(noted, now);
	if (fd >= 0)
		close(fd);
	if (!same)
		unlink(path);
	return same;
}

void loops_each(void (*f)(unsigned n, void *arg), void *arg)
{
	DIR *d = opendir(HOLDER_LOOPS);
	struct dirent *entry;
	unsigned n;
	char rest;

	while (d && (entry = readdir(d)))
		if (sscanf(entry->d_name, "%u%c", &n, &rest) == 1 && loops_are_ours(n))
			f(n, arg);
	if (d)
		closedir(d);
}
