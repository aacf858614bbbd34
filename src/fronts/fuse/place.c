/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory where devices are files: what is mounted there, and whose it is. umount(2) takes whatever is on top, so
 * that is compared first. A daemon that was killed leaves a dead mount behind, which stays until somebody unmounts it.
 * On a job's thread, or in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mountinfo.h"
#include "fronts/fuse/server.h"

#define PLACE_MOST_DEAD 64

enum place_state {
	PLACE_OTHER,		/* what is on top is not dmuse's */
	PLACE_LIVE,
	PLACE_DEAD,		/* this user's, and its daemon is gone */
};

static bool place_is_own(const struct mount_line *m)
{
	const char *user = strstr(m->options, "user_id=");
	unsigned uid;

	return user && sscanf(user, "user_id=%u", &uid) == 1 && uid == geteuid();
}

/* Not answered from the kernel's cache. */
static bool place_is_dead(const char *directory)
{
	struct statx st;

	return statx(AT_FDCWD, directory, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st) && errno == ENOTCONN;
}

/* Only a daemon of dmuse is ever asked. */
static enum place_state place_look(const char *directory, int *id)
{
	enum place_state state = PLACE_OTHER;
	const struct mount_line *top;
	struct mountinfo m;

	*id = mountinfo_top(directory);
	if (*id < 0 || mountinfo_read(&m, "/proc/self/mountinfo"))
		return PLACE_OTHER;
	top = mountinfo_find(&m, *id);
	if (top && !strcmp(top->type, "fuse.dmuse"))
		state = place_is_own(top) && place_is_dead(directory) ? PLACE_DEAD : PLACE_LIVE;
	mountinfo_free(&m);
	return state;
}

int fuse_clear_dead(const char *directory, struct err *e)
{
	int n, id, r;

	for (n = 0; n < PLACE_MOST_DEAD && place_look(directory, &id) == PLACE_DEAD; n++) {
		r = fuse_kernel_umount(directory, true, id, e);
		if (r)
			return r;
	}
	return n;
}

/* A directory that cannot be opened is not locked: the kernel will report what is wrong with it. */
static int place_lock(const char *directory, int *lock, struct err *e)
{
	*lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0 || !flock(*lock, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return 0;
	close(*lock);
	*lock = -1;
	return err_set(e, -EBUSY, "%s is locked: another daemon is mounting there", directory);
}

int fuse_place_take(const char *directory, int *lock, struct err *e)
{
	int id, r = fuse_clear_dead(directory, e);

	*lock = -1;
	if (r >= 0)
		r = place_lock(directory, lock, e);
	if (r)
		return r;
	if (place_look(directory, &id) == PLACE_LIVE)
		return err_set(e, -EBUSY, "the devices of a daemon are already files in %s", directory);
	return 0;
}

/* Ours is not on top: is it below, or gone? */
static int place_covered(const char *directory, int ours, int top, struct err *e)
{
	const struct mount_line *line;
	struct mountinfo m;
	int r = mountinfo_read(&m, "/proc/self/mountinfo");

	line = r ? NULL : mountinfo_find(&m, top);
	if (!r && !mountinfo_find(&m, ours))
		r = FUSE_PLACE_GONE;
	else
		r = err_set(e, -EBUSY, "another file system is mounted over the devices in %s (%s, type %s): unmount "
			    "it first, with "
			    "umount(8)", directory, line ? line->source : "unknown", line ? line->type : "unknown");
	mountinfo_free(&m);
	return r;
}

int fuse_place_check(const char *directory, int ours, struct err *e)
{
	int top = mountinfo_top(directory);

	if (top == ours || ours < 0)
		return 0;
	return place_covered(directory, ours, top, e);
}
