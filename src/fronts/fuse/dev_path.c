/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a path in a table means to its caller. Below /dev the session knows; elsewhere it may be a link to there, or a
 * block node that somebody made with the number of one of our devices.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fronts/fuse/dev_call.h"

#define PATH_LINKS 40	/* that are followed, as by the kernel */

static bool path_is_dev(const char *path)
{
	return !strncmp(path, "/dev/", 5);
}

/* One link further: what PATH's target means where the link lies. False: it leads nowhere. */
static bool path_follow(char path[PATH_MAX])
{
	char target[PATH_MAX], *name = strrchr(path, '/');
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	if (*target == '/')
		name = path;
	else
		name++;
	if (strlen(target) >= (size_t)(PATH_MAX - (name - path)))
		return false;
	strcpy(name, target);
	return true;
}

struct dm_device *dev_path(struct fuse_front *f, const char *from)
{
	char path[PATH_MAX];
	struct stat st;
	unsigned links = 0;

	if (strlen(from) >= sizeof(path))
		return NULL;
	strcpy(path, from);
	while (!path_is_dev(path) && !lstat(path, &st)) {
		if (S_ISBLK(st.st_mode))
			return dm_find_number(f->world, major(st.st_rdev), minor(st.st_rdev));
		if (!S_ISLNK(st.st_mode) || ++links > PATH_LINKS || !path_follow(path))
			return NULL;
	}
	return path_is_dev(path) ? fuse_dev_resolve(f, path) : NULL;
}
