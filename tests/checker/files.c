/* SPDX-License-Identifier: BSD-2-Clause */
/* See files.h. */
#include "checker/files.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "checker/found.h"
#include "checker/life.h"
#include "support/inside.h"

static int session = -1;	/* the session's FUSE */
static char mounted[TEMP_PATH];	/* the directory of the other one */

/* Another process mounts the session's; this one has the other mount, which nobody else is to see. */
void files_prepare(struct files *f)
{
	if (geteuid())
		return;
	session = inside_begin(false);
	f->session = session >= 0;
	f->mounted = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		     mkdtemp(temp_template(f->directory, "mount"));
	memcpy(mounted, f->directory, sizeof(mounted));
}

static void mount_directory(struct life *l)
{
	struct dm_cmd c = { .verb = DM_DO_MOUNT, .directory = l->files.directory };

	if (life_do(l, &c))
		fail_msg("%s", l->why);
}

void files_begin(struct life *l)
{
	struct files *f = &l->files;
	struct err e = ERR_INIT;

	if (!f->session || !f->mounted)
		return;
	if (fuse_front_new(&f->front, l->f->world, &e) || fuse_front_dev(f->front, session, inside_pid(), &e))
		fail_msg("%s", e.text);
	mount_directory(l);
}

static void front_stopped(void *arg)
{
	struct files *f = arg;

	f->stopped = true;
}

void files_end(struct life *l)
{
	struct files *f = &l->files;
	uint64_t since = life_now();

	if (f->front) {
		fuse_front_stop(f->front, front_stopped, f);
		while (!f->stopped)
			life_turn(l, since, "unmounting");
		fuse_front_free(f->front);
	}
	if (f->session)
		inside_end();
	if (f->mounted)
		rmdir(f->directory);
}

/* The connection ends with its last descriptor. */
void files_drop(void)
{
	struct stat st;
	int fd;

	for (fd = 3; fd < 1024; fd++)
		if (!fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229))
			close(fd);
	umount2(mounted, MNT_DETACH);
	rmdir(mounted);
	rmdir(inside_place());
}

bool files_path(const struct life *l, const struct dm_device *d, unsigned n, char *path, size_t size)
{
	if (!l->files.front)
		return false;
	if (n % 2)
		snprintf(path, size, "%s/%s", l->files.directory, d->name);
	else
		snprintf(path, size, "/proc/%d/root%s/.dmuse/io/%u:%u", (int)inside_pid(), inside_place(), d->major, d->minor);
	return true;
}
