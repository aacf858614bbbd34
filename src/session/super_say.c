/* SPDX-License-Identifier: BSD-2-Clause */
/* One line to whoever looks at the caller's stderr: a system call has room for a number only. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/super.h"

void super_say(const struct call *c, const char *what, const char *device, const char *text)
{
	int fd = target_getfd(c, STDERR_FILENO);

	if (fd < 0)
		return;
	dprintf(fd, "dmuse: %s %s: %s\n", what, device, text);
	close(fd);
}

/*
 * Pages of the daemon that were swapped out to its own device could never be brought back: it is what would have to
 * read them.
 */
void super_swap(struct call *c)
{
	char path[4096], name[32];
	struct stat st;

	if (target_string(c, c->req.data.args[0], path, sizeof(path)) || place_find(c, path, &st, name) != 1 || !call_valid(c))
		return;
	if (c->req.data.nr == SYS_swapon)
		super_say(c, "swapon", path, "a device of dmuse is no place to swap to: the daemon that serves it could itself be swapped out, "
			  "and the machine would stand still. Use the file or disk below it");
	call_fail(c, -EINVAL);
}
