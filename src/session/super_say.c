/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints a line on the caller's stderr: a system call can return only a number. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"
#include "session/super.h"

void super_say(const struct call *c, const char *what, const char *device, const char *text)
{
	int fd = target_getfd_or_open(c, STDERR_FILENO, O_WRONLY);

	if (fd < 0)
		return;
	dprintf(fd, "dmuse: %s %s: %s\n", what, device, text);
	close(fd);
}

/* resize2fs compares numbers (st_dev) that differ here, and would continue as if the device were not mounted. */
void super_say_busy(const struct call *c, int io)
{
	int fd = target_open(c, "comm", O_RDONLY), loop;
	char comm[16] = "";
	bool resizes = fd >= 0 && read(fd, comm, sizeof(comm)) == 10 && !memcmp(comm, "resize2fs\n", 10);

	if (fd >= 0)
		close(fd);
	if (resizes && !ioctl(io, DMUSE_IOC_LOOPED, &loop))
		super_say(c, "resize2fs", "of a mounted device", "in a session it does not recognize that the device "
			  "is mounted, and does not grow "
			  "it: unmount it first");
}

/*
 * Pages of the daemon that were swapped out to its own device could never be read back, because the daemon would have
 * to read them.
 */
void super_swap(struct call *c)
{
	char path[4096], name[32];
	struct stat st;

	if (target_string(c, c->req.data.args[0], path, sizeof(path)) || place_find(c, path, &st, name) != 1 || !call_valid(c))
		return;
	if (c->req.data.nr == SYS_swapon)
		super_say(c, "swapon", path, "a dmuse device cannot be used for swap: the daemon that serves it could "
			  "itself be swapped out, "
			  "and the system would hang. Use the file or disk below it");
	call_fail(c, -EINVAL);
}
