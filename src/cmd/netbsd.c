/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec --netbsd: finds the library that answers NetBSD's ioctl, beside the program in the build directory, or
 * installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/inside.h"

#define LIBRARY "libdmuse-netbsd.so"
#define INSTALLED DMUSE_LIBRARIES "/" LIBRARY

static const char *netbsd_find(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(LIBRARY));

	if (n > 0) {
		path[n] = '\0';
		strcpy(strrchr(path, '/') + 1, LIBRARY);
		if (!access(path, R_OK))
			return path;
	}
	return access(INSTALLED, R_OK) ? NULL : INSTALLED;
}

int inside_netbsd(struct err *e)
{
	char path[PATH_MAX];
	const char *library = netbsd_find(path), *others = getenv("LD_PRELOAD");
	char *all;

	if (!library)
		return err_set(e, -ENOENT, "--netbsd needs " INSTALLED ", which does not exist");
	if (asprintf(&all, "%s%s%s", library, others && *others ? ":" : "", others ? others : "") < 0)
		return err_set(e, -ENOMEM, "no memory");
	setenv("LD_PRELOAD", all, 1);
	free(all);
	return 0;
}
