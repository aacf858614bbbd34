/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounts in the state of the devices (core/state/record.h): recorded before they are made, so that a later daemon makes them
 * again; and no more from the moment in which they are to end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/state/done.h"
#include "core/state/recorder.h"
#include "fronts/fuse/server.h"

#define KEY "mount/"

static void put(struct dm_world *w, const char *directory, bool there)
{
	char *key = NULL;

	if (asprintf(&key, KEY "%s", directory) < 0)
		w->records.no_memory = true;
	else
		dm_record_value(w, key, there ? "files\n" : NULL, there ? strlen("files\n") : 0);
	free(key);
}

int fuse_mount_record(struct fuse_front *f, struct dm_cmd *c, bool there)
{
	put(f->world, c->directory, there);
	return dm_record_commit(f->world, c, &c->reply.err);
}

void fuse_mount_record_undo(struct fuse_front *f, const struct dm_cmd *c, bool was_there)
{
	struct err e = ERR_INIT;

	put(f->world, c->directory, was_there);
	dm_done_undo(f->world, c);
	if (dm_record_commit_undo(f->world, &e))
		log_error("the record of the mount on %s is wrong: %s", c->directory, e.text);
}

/* Somebody else has unmounted it. At the daemon's end it stays: a later one is to have it. */
void fuse_mount_record_gone(struct fuse_front *f, const char *directory)
{
	struct err e = ERR_INIT;

	if (f->world->releasing)
		return;
	put(f->world, directory, false);
	if (dm_record_commit(f->world, NULL, &e))
		log_error("the end of the mount on %s is not recorded: %s", directory, e.text);
}

struct again {
	struct fuse_front *front;
	char **directories;
	size_t n;
};

static int see(void *arg, const char *key, const char *value, size_t len)
{
	struct again *a = arg;
	char **more;

	(void)value;
	(void)len;
	if (strncmp(key, KEY, strlen(KEY)))
		return 0;
	more = realloc(a->directories, (a->n + 1) * sizeof(*more));
	if (!more)
		return 0;
	a->directories = more;
	a->directories[a->n] = strdup(key + strlen(KEY));
	a->n += a->directories[a->n] != NULL;
	return 0;
}

void fuse_mounts_again(struct fuse_front *f)
{
	struct dm_recorder *r = f->world->records.recorder;
	struct again a = { .front = f };
	struct err e = ERR_INIT;
	size_t i;

	if (r)
		r->each(r, see, &a, &e);
	for (i = 0; i < a.n; i++) {
		struct dm_cmd c = { .verb = DM_DO_MOUNT, .directory = a.directories[i] };

		if (!fuse_mount_is_there(f, c.directory) && dm_do_now(f->world, &c))
			log_error("the devices are no longer files in %s: %s", c.directory, c.reply.err.text);
		free(a.directories[i]);
	}
	free(a.directories);
}
