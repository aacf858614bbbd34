/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop devices that belong to the session: their file is a device or is on a file system that was mounted in the
 * session, or a program of the session attached them. One that the daemon has open, because a table uses it, is
 * detached when the daemon closes it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "session/ender_parts.h"
#include "session/loops.h"

static int loops_open(int number)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/loop%d", number);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool loops_is_ours(const struct ender *x, dev_t dev)
{
	size_t i;

	if (dev == x->view)
		return true;
	for (i = 0; i < x->here.n; i++)
		if (x->here.mounts[i].dev == dev)
			return ender_made_here(x, &x->here.mounts[i]);
	return false;
}

/* The daemon (our parent) has it open. */
static bool loops_is_the_daemons(int number)
{
	char directory[40], path[32], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *d;

	snprintf(directory, sizeof(directory), "/proc/%d/fd", getppid());
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	d = opendir(directory);
	while (d && !found && (entry = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		found = !strcmp(target, path);
	}
	if (d)
		closedir(d);
	return found;
}

/* A descriptor of it, while which is open it has no other file; or below 0. */
static int loops_open_ours(const struct ender *x, int number)
{
	struct loop_info64 info;
	int fd = loops_open(number);

	if (fd < 0)
		return fd;
	if (!ioctl(fd, LOOP_GET_STATUS64, &info) && (loops_is_ours(x, info.lo_device) || loops_are_ours((unsigned)number)))
		return fd;
	close(fd);
	return -1;
}

static bool loops_has(const struct ender *x, int number)
{
	int fd = loops_open_ours(x, number);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Only those for which /sys shows a file are opened: udev would react to opening the others. */
static void loops_find(struct ender *x, bool daemons_too)
{
	DIR *d = opendir("/sys/block");
	char path[300];
	struct dirent *entry;
	int n;

	x->n_loops = 0;
	while (d && x->n_loops < ENDER_LOOPS && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/block/%s/loop", entry->d_name);
		if (sscanf(entry->d_name, "loop%d", &n) != 1 || access(path, F_OK) || !loops_has(x, n))
			continue;
		if (daemons_too || !loops_is_the_daemons(n))
			x->loops[x->n_loops++] = n;
	}
	if (d)
		closedir(d);
}

void ender_find_loops(struct ender *x)
{
	loops_find(x, false);
}

unsigned long long ender_written(const struct ender *x)
{
	unsigned long long sum = 0, sectors;
	char path[64];
	size_t i;
	FILE *f;

	for (i = 0; i < x->n_loops; i++) {
		snprintf(path, sizeof(path), "/sys/block/loop%d/stat", x->loops[i]);
		f = fopen(path, "re");
		if (f && fscanf(f, "%*u %*u %*u %*u %*u %*u %llu", &sectors) == 1)
			sum += sectors;
		if (f)
			fclose(f);
	}
	return sum;
}

/* A loop device in use is detached at its last close. */
bool ender_detach_loops(struct ender *x)
{
	size_t i, before;
	int fd;

	loops_find(x, true);
	before = x->n_loops;
	for (i = 0; i < x->n_loops; i++) {
		fd = loops_open_ours(x, x->loops[i]);
		if (fd < 0)
			continue;
		ioctl(fd, LOOP_CLR_FD);
		close(fd);
	}
	if (before)
		loops_find(x, true);
	return x->n_loops < before;
}
