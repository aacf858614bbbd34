/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse mount, umount: devices as regular files in a directory. The daemon mounts; here the directory's full path is
 * determined.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/paths.h"
#include "cmd/say.h"
#include "fronts/fuse/fuse.h"

/* A path is relative to a mount namespace, and the daemon may be in another one. */
static void mount_set_namespace(plist_t request)
{
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ns, sizeof(ns) - 1);

	if (n < 0)
		return;
	ns[n] = '\0';
	key_set_text(request, "mount_ns", ns);
}

/*
 * The request, or NULL and the reason in E. A directory whose daemon has died cannot be resolved; then its name has to
 * do.
 */
static plist_t mount_request(const char *command, const char *dir, struct err *e)
{
	char *full = realpath(dir, NULL);
	plist_t request;

	if (!full && (errno == ENOENT || errno == ENOTDIR)) {
		err_set(e, -errno, "%s: %s; the directory must exist", dir, strerror(errno));
		return NULL;
	}
	if (!full && !(full = paths_absolute(dir, e)))
		return NULL;
	request = request_new(command, NULL);
	key_set_text(request, "directory", full);
	mount_set_namespace(request);
	free(full);
	return request;
}

static int mount_ask(struct job *j, const char *command, bool start)
{
	struct err e = ERR_INIT;
	plist_t request;
	int code;

	if (j->argc != 1)
		return job_usage(j, "the directory is missing");
	request = mount_request(command, j->argv[0], &e);
	if (!request)
		return job_failed(j, NULL, &e);
	code = client_open(j, start);
	if (code) {
		plist_free(request);
		return code;
	}
	return client_ask(j, NULL, request, NULL);
}

static int mount_list(struct job *j)
{
	plist_t reply = NULL, mounts;
	int code = client_ask(j, NULL, request_new("mount", NULL), &reply);

	if (code)
		return code;
	mounts = key_array(reply, "mounts");
	if (j->o.given[OPT_json])
		job_print_json(j, mounts ? plist_copy(mounts) : plist_new_array());
	else
		for (struct key_walk w = key_walk(mounts); key_walk_next(&w);)
			printf("%s\n", plist_string(w.item));
	plist_free(reply);
	client_say_absent(j);
	return EXIT_OK;
}

int command_mount(struct job *j)
{
	return j->argc ? mount_ask(j, "mount", true) : mount_list(j);
}

/* A daemon that was killed cannot unmount any more: done here. */
static int umount_dead(struct job *j, bool *any)
{
	struct err e = ERR_INIT;
	char *real = realpath(j->argv[0], NULL), *full = real ? real : paths_absolute(j->argv[0], &e);
	int n = full ? fuse_clear_dead(full, &e) : 0;

	free(full);
	*any = n > 0;
	return n < 0 ? job_failed(j, NULL, &e) : EXIT_OK;
}

int command_umount(struct job *j)
{
	bool dead = false;
	int code = j->argc == 1 ? umount_dead(j, &dead) : EXIT_OK;

	return code || dead ? code : mount_ask(j, "umount", false);
}
