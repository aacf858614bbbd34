/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program attaches a file to a loop device (LOOP_SET_FD, LOOP_CONFIGURE). The supervisor does this in its place, with
 * copies of its descriptors: otherwise it could not know whether the call succeeded, and so who uses the loop device
 * (loops.h).
 */
#include <errno.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/loops.h"
#include "session/super.h"

static bool attach_is_loop(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) && major(st.st_rdev) == LOOPS_MAJOR;
}

static int attach_file(int loop, int file)
{
	return ioctl(loop, LOOP_SET_FD, file) ? -errno : 0;
}

static int attach_configured(int loop, int file, struct loop_config *config)
{
	config->fd = (uint32_t)file;
	return ioctl(loop, LOOP_CONFIGURE, config) ? -errno : 0;
}

/* Sets 0 or -errno; returns false if the call is not for us. */
static bool attach_do(struct call *c, int loop, int *result)
{
	bool configures = (uint32_t)c->req.data.args[1] == LOOP_CONFIGURE;
	struct loop_config config = { .fd = (uint32_t)c->req.data.args[2] };
	int file;

	if (configures && target_read(c, c->req.data.args[2], &config, sizeof(config)))
		return false;
	file = target_getfd(c, (int)config.fd);
	if (file < 0)
		return false;
	if (!call_valid(c))
		*result = -EINTR;
	else
		*result = configures ? attach_configured(loop, file, &config) : attach_file(loop, file);
	close(file);
	return true;
}

bool super_ioctl_is_loop(const struct call *c)
{
	return (uint32_t)c->req.data.args[1] == LOOP_SET_FD || (uint32_t)c->req.data.args[1] == LOOP_CONFIGURE;
}

void super_attach(struct call *c)
{
	int loop = target_getfd(c, (int)c->req.data.args[0]), r;

	if (attach_is_loop(loop) && attach_do(c, loop, &r)) {
		if (!r)
			loops_note(loop);
		if (r)
			call_fail(c, r);
		else
			call_value(c, 0);
	}
	if (loop >= 0)
		close(loop);
}
