/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * umount2(2) of a node of ours. What is mounted of it is a loop device, so umount(8) finds no such source among the
 * mounts and asks the kernel, which wants a directory: it gets the one where that loop device was mounted last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/super.h"

/* The number of the loop device that has the io file, or 0. */
static dev_t umount_device(const struct call *c, struct mount_source *m)
{
	struct stat st;

	if (fstatat(c->s->io, m->name, &st, 0))
		return 0;
	m->fd = loop_find(&st, m->loop);
	if (m->fd < 0)
		return 0;
	if (fstat(m->fd, &st))
		st.st_rdev = 0;
	close(m->fd);
	return st.st_rdev;
}

/* In the kernel's lists of mounts a blank is \040, for example. */
static void umount_unescape(char *s)
{
	char *to = s;
	unsigned byte;

	while (*s) {
		if (sscanf(s, "\\%3o", &byte) == 1) {
			*to++ = (char)byte;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* Where in the caller's world DEVICE was mounted last. */
static int umount_place(const struct call *c, dev_t device, char place[4096])
{
	int fd = target_open(c, "mountinfo", O_RDONLY), r = -EINVAL;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned ma, mi;
	size_t room = 0;
	char *line = NULL, *at = malloc(4096);

	while (f && at && getline(&line, &room, f) > 0)
		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &ma, &mi, at) == 3 && makedev(ma, mi) == device) {
			strcpy(place, at);
			r = 0;
		}
	free(line);
	free(at);
	if (f)
		fclose(f);
	if (!r)
		umount_unescape(place);
	return r;
}

void super_umount(struct call *c)
{
	struct mount_source m = { .fd = -1 };
	char place[4096];
	dev_t device;
	int r;

	if (c->s->user_namespace || !mount_is_ours(c, c->req.data.args[0], &m) || !target_capable(c, CAP_SYS_ADMIN_BIT))
		return;
	device = umount_device(c, &m);
	if (!device || umount_place(c, device, place) || !call_valid(c))
		return;
	r = mount_stand(c);
	if (!r)
		r = umount2(place, (int)c->req.data.args[1]) ? -errno : 0;
	if (r)
		call_fail(c, r);
	else
		call_value(c, 0);
}
