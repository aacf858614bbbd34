/* SPDX-License-Identifier: BSD-2-Clause */
/* See state_dir.h. Whoever can write to the directory can give us tables that map any file that we may open. */
#include "cmd/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/own_file.h"
#include "cmd/paths.h"

static int state_dir_check(const char *directory, const struct stat *st, struct err *e)
{
	if (!own_user(st->st_uid))
		return err_set(e, -EPERM, "--state %s: the directory belongs to user %u, not to user %u: choose one of your own",
			       directory, (unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "--state %s: other users can write to the directory and could replace the state: "
			       "take their permission away (chmod go-w), or choose another one", directory);
	return 0;
}

static int state_dir_make(const char *directory, struct err *e)
{
	struct stat st;

	if (!mkdir(directory, 0700))
		return 0;
	if (errno != EEXIST)
		return err_set(e, -errno, "--state %s: cannot create the directory: %s", directory, strerror(errno));
	if (stat(directory, &st))
		return err_set(e, -errno, "--state %s: cannot access the directory: %s", directory, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "--state %s: is not a directory", directory);
	return state_dir_check(directory, &st, e);
}

char *state_dir_file(const char *directory, struct err *e)
{
	char *path;

	if (state_dir_make(directory, e))
		return NULL;
	if (asprintf(&path, "%s/%s", directory, STATE_FILE) >= 0)
		return path;
	err_set(e, -ENOMEM, "no memory for the path of the state");
	return NULL;
}

static int state_see(void *arg, const char *key, const char *value, size_t len)
{
	bool *devices = arg;

	(void)value;
	(void)len;
	*devices = !strncmp(key, "device/", 7) || !strncmp(key, "disk/", 5) || !strncmp(key, "mount/", 6);
	return *devices;
}

bool state_is_left(const char *control)
{
	char path[PATHS_MAX];
	struct journal_opts o = { .path = path, .fd = -1, .read_only = true };
	struct err e = ERR_INIT;
	struct journal *j;
	bool devices = false;

	if (paths_beside(path, control, STATE_FILE, &e) || journal_open(&j, &o, &e))
		return false;
	journal_each(j, state_see, &devices, &e);
	journal_close(j);
	return devices;
}
