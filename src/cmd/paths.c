/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths of sockets: see paths.h. */
#include "cmd/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own_file.h"

#define PATHS_SYSTEM "/run/dmuse/control"

static const char *paths_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int paths_fill(char out[PATHS_MAX], struct err *e, const char *directory, const char *rest)
{
	int n = snprintf(out, PATHS_MAX, "%s%s", directory, rest);

	if (n >= PATHS_MAX)
		return err_set(e, -ENAMETOOLONG, "%s%s is too long for a socket: the limit is %d bytes", directory, rest,
			       PATHS_MAX - 1);
	return 0;
}

static int paths_own(char out[PATHS_MAX], struct err *e)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "/run/user/%u", (unsigned)geteuid());
	if (!access(directory, W_OK))
		return paths_fill(out, e, directory, "/dmuse/control");
	snprintf(directory, sizeof(directory), "/tmp/dmuse-%u", (unsigned)geteuid());
	return paths_fill(out, e, directory, "/control");
}

/* The owner of the directory could run his own daemon there. */
static int paths_xdg(char out[PATHS_MAX], const char *xdg, struct err *e)
{
	struct stat st;

	if (*xdg != '/')
		return err_set(e, -EINVAL, "XDG_RUNTIME_DIR '%s' is not an absolute path: unset it, or set it "
			       "to a directory of your own", xdg);
	if (!stat(xdg, &st) && !own_user(st.st_uid))
		return err_set(e, -EPERM, "XDG_RUNTIME_DIR %s belongs to user %u, not to user %u: unset it, or "
			       "set it to a directory of your own", xdg, (unsigned)st.st_uid, (unsigned)geteuid());
	return paths_fill(out, e, xdg, "/dmuse/control");
}

int paths_control(char out[PATHS_MAX], const char *given, struct err *e)
{
	const char *xdg = paths_env("XDG_RUNTIME_DIR");

	if (!given)
		given = paths_env("DMUSE_SOCKET");
	if (given)
		return paths_fill(out, e, given, "");
	if (xdg)
		return paths_xdg(out, xdg, e);
	if (!geteuid())
		return paths_fill(out, e, PATHS_SYSTEM, "");
	return paths_own(out, e);
}

const char *paths_second(const char *given)
{
	if (given || paths_env("DMUSE_SOCKET") || !paths_env("XDG_RUNTIME_DIR") || geteuid())
		return NULL;
	return PATHS_SYSTEM;
}

static bool paths_is_socket(const char *path, uid_t *owner)
{
	struct stat st;

	if (stat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	*owner = st.st_uid;
	return true;
}

bool paths_elsewhere(char out[PATHS_MAX], const char *path, uid_t *owner)
{
	const char *sudo = paths_env("SUDO_UID");

	snprintf(out, PATHS_MAX, "%s", PATHS_SYSTEM);
	if (strcmp(out, path) && paths_is_socket(out, owner))
		return true;
	snprintf(out, PATHS_MAX, "/run/user/%.20s/dmuse/control", sudo ? sudo : "");
	return sudo && strcmp(out, path) && paths_is_socket(out, owner);
}

int paths_beside(char out[PATHS_MAX], const char *control, const char *name, struct err *e)
{
	const char *slash = strrchr(control, '/');
	char directory[PATHS_MAX];

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash + 1 - control) : 0, control);
	return paths_fill(out, e, directory, name);
}

static int paths_check_directory(const char *directory, struct err *e)
{
	struct stat st;

	if (lstat(directory, &st) || (S_ISLNK(st.st_mode) && own_user(st.st_uid) && stat(directory, &st)))
		return err_set(e, -errno, "cannot access the directory %s: %s", directory, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "%s, the directory for the socket, is not a directory", directory);
	if (!own_user(st.st_uid))
		return err_set(e, -EPERM, "the directory %s belongs to user %u, who could replace the socket", directory,
			       (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
		return err_set(e, -EPERM, "other users can write to the directory %s and could replace the socket", directory);
	return 0;
}

int paths_make_directory(const char *control, bool open, struct err *e)
{
	const char *slash = strrchr(control, '/');
	char directory[PATHS_MAX];

	if (!slash || slash == control)
		return 0;
	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - control), control);
	if (!mkdir(directory, 0700))
		return open && chmod(directory, 0711) ? err_set(e, -errno, "cannot open the directory %s to other users: %s",
							     directory, strerror(errno)) : 0;
	if (errno != EEXIST)
		return err_set(e, -errno, "cannot create the directory %s: %s", directory, strerror(errno));
	return paths_check_directory(directory, e);
}

bool paths_closed(const char *path, char directory[PATHS_MAX])
{
	const char *slash = path;
	struct stat st;

	while ((slash = strchr(slash + 1, '/'))) {
		snprintf(directory, PATHS_MAX, "%.*s", (int)(slash - path), path);
		if (!stat(directory, &st) && !(st.st_mode & S_IXOTH))
			return true;
	}
	return false;
}

char *paths_absolute(const char *path, struct err *e)
{
	char *cwd, *out = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd) {
		err_set(e, -errno, "cannot get the working directory: %s", strerror(errno));
		return NULL;
	}
	if (asprintf(&out, "%s/%s", cwd, path) < 0) {
		err_set(e, -ENOMEM, "no memory for a path");
		out = NULL;
	}
	free(cwd);
	return out;
}
