/* SPDX-License-Identifier: BSD-2-Clause */
/* See loop_device.h. Others look for a free one, too: who comes second tries again. */
#include "crash/loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "session/feature.h"

#define LOOP_TRIES 1000

/* The number of a free one, or -errno. */
static int loop_free_number(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), r;

	if (control < 0)
		return -errno;
	r = ioctl(control, LOOP_CTL_GET_FREE);
	if (r < 0)
		r = -errno;
	close(control);
	return r;
}

static int loop_try(int file, char name[LOOP_DEVICE_NAME])
{
	const struct loop_config config = { .fd = (unsigned)file, .block_size = 512, .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int number = loop_free_number(), fd, r;

	if (number < 0)
		return number;
	snprintf(name, LOOP_DEVICE_NAME, "/dev/loop%d", number);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, LOOP_CONFIGURE, &config))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static bool loop_was_taken(int r)
{
	return r == -EBUSY || r == -ENXIO || r == -ENOENT;
}

int loop_device_attach(const char *file, char name[LOOP_DEVICE_NAME], struct err *e)
{
	int fd = open(file, O_RDWR | O_CLOEXEC), r = 0, tries;

	if (fd < 0)
		return err_set(e, -errno, "cannot open %s: %s", file, strerror(errno));
	for (tries = 0; tries < LOOP_TRIES; tries++) {
		r = loop_try(fd, name);
		if (!loop_was_taken(r))
			break;
	}
	close(fd);
	return r < 0 ? feature_fail(FEATURE_LOOP, r, e) : r;
}
