/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Covers a directory of the machine with an empty one of the session, or a file with one. If it is missing, root creates it first, as the
 * tools that use it would. An ordinary user cannot or should not (/run/lock is open to everybody, and root's LVM would
 * later use what he created): he gets a copy of the directory above, with everything in it and with this one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder_parts.h"

#define SHADE_MODE 0700

int holder_tmpfs(const char *path, const char *mode, struct err *e)
{
	if (!mount("dmuse", path, "tmpfs", MS_NOSUID | MS_NODEV, mode))
		return 0;
	return err_set(e, -errno, "cannot mount a tmpfs on %s: %s", path, strerror(errno));
}

/* Creates PATH and its missing parents. */
static int shade_make(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, SHADE_MODE) && errno != EEXIST ? -errno : 0;
}

/* The nearest existing directory above PATH. */
static void shade_above(const char *path, char above[PATH_MAX])
{
	snprintf(above, PATH_MAX, "%s", path);
	do
		*strrchr(above, '/') = '\0';
	while (*above && access(above, F_OK));
}

static void shade_show_all(DIR *d, const char *path)
{
	char to[PATH_MAX];
	struct dirent *entry;

	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    snprintf(to, sizeof(to), "%s/%s", path, entry->d_name) < (int)sizeof(to))
			holder_show(dirfd(d), entry->d_name, to);
}

/* Covers PATH with a directory that looks the same and in which we may create files. */
static int shade_anew(const char *path, struct err *e)
{
	DIR *d = opendir(path);
	struct stat st;
	char mode[16];
	int r;

	if (!d || fstat(dirfd(d), &st)) {
		if (d)
			closedir(d);
		return err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	}
	snprintf(mode, sizeof(mode), "mode=%o", st.st_mode & 07777);
	r = holder_tmpfs(path, mode, e);
	if (!r)
		shade_show_all(d, path);
	closedir(d);
	return r;
}

int holder_shade(const char *path, bool user_ns, struct err *e)
{
	char above[PATH_MAX];
	int r = 0;

	if (access(path, F_OK) && user_ns) {
		shade_above(path, above);
		if (!*above)
			return 0;
		r = shade_anew(above, e);
	}
	if (r)
		return r;
	if (shade_make(path))
		return 0;	/* nobody can create it on this machine, so nobody keeps anything there */
	return holder_tmpfs(path, "mode=0700", e);
}

/* In the machine's place, which root creates; an ordinary user has the directory above it anew. */
static int own_place(const char *path, mode_t kind, bool user_ns, struct err *e)
{
	char above[PATH_MAX];
	int r = 0;

	if (!access(path, F_OK))
		return 0;
	if (user_ns) {
		shade_above(path, above);
		r = *above ? shade_anew(above, e) : -ENOENT;
	}
	return r ? r : mknod(path, kind | 0600, 0) ? -errno : 0;
}

int holder_own_file(const char *path, const char *own, mode_t kind, bool user_ns, struct err *e)
{
	int r;

	if (own_place(path, kind, user_ns, e))
		return e->code;	/* without a sentence: nobody can create it on this machine */
	if (mknod(own, kind | 0600, 0))
		return err_set(e, -errno, "cannot make %s: %s", own, strerror(errno));
	r = holder_bind(AT_FDCWD, own, path);
	return r ? err_set(e, r, "cannot cover %s: %s", path, strerror(-r)) : 0;
}
