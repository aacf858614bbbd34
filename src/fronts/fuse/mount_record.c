/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounts in the state of the devices (core/state/record.h): recorded before they are made, so that a later daemon makes them
 * again; and no more from the moment in which they are to end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/state/done.h"
#include "core/state/recorder.h"
#include "fronts/fuse/server.h"

#define KEY "mount/"

static void put(struct dm_world *w, const char *directory, uint64_t order)
{
	char *key = NULL, value[40];
	int n = snprintf(value, sizeof(value), "files %" PRIu64 "\n", order);

	if (asprintf(&key, KEY "%s", directory) < 0)
		w->records.no_memory = true;
	else
		dm_record_value(w, key, order ? value : NULL, order ? (size_t)n : 0);
	free(key);
}

int fuse_mount_record(struct fuse_front *f, struct dm_cmd *c, uint64_t order)
{
	put(f->world, c->directory, order);
	return dm_record_commit(f->world, c, &c->reply.err);
}

void fuse_mount_record_undo(struct fuse_front *f, const struct dm_cmd *c, uint64_t was)
{
	struct err e = ERR_INIT;

	put(f->world, c->directory, was);
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
	put(f->world, directory, 0);
	if (dm_record_commit(f->world, NULL, &e))
		log_error("the end of the mount on %s is not recorded: %s", directory, e.text);
}

struct again {
	char *directory;
	uint64_t order;
};

struct all_again {
	struct again *all;
	size_t n;
};

/* Earlier versions have recorded no number. */
static int see(void *arg, const char *key, const char *value, size_t len)
{
	struct all_again *a = arg;
	struct again *more;
	char head[40];

	if (strncmp(key, KEY, strlen(KEY)))
		return 0;
	more = realloc(a->all, (a->n + 1) * sizeof(*more));
	if (!more)
		return 0;
	a->all = more;
	snprintf(head, sizeof(head), "%.*s", len < sizeof(head) ? (int)len : (int)sizeof(head) - 1, value);
	more[a->n] = (struct again){ .directory = strdup(key + strlen(KEY)) };
	sscanf(head, "files %" SCNu64, &more[a->n].order);
	a->n += more[a->n].directory != NULL;
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct again *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* Its descriptor was kept, or it is mounted anew: one may hide the directory of an earlier one. */
static void again(struct fuse_front *f, const struct again *a)
{
	struct fuse_mount *m = fuse_mount_find(f, a->directory);
	struct dm_cmd c = { .verb = DM_DO_MOUNT, .directory = a->directory };

	f->last_order = a->order - 1;
	if (m) {
		m->order = ++f->last_order;
		list_remove(&m->node);
		list_append(&f->mounts, &m->node);
	} else if (dm_do_now(f->world, &c)) {
		log_error("the devices are no longer files in %s: %s", a->directory, c.reply.err.text);
	}
}

void fuse_mounts_again(struct fuse_front *f)
{
	struct dm_recorder *r = f->world->records.recorder;
	struct all_again a = { .all = NULL };
	struct err e = ERR_INIT;
	size_t i;

	if (r)
		r->each(r, see, &a, &e);
	if (a.n)
		qsort(a.all, a.n, sizeof(*a.all), by_order);
	for (i = 0; i < a.n; i++) {
		if (a.all[i].order <= i)
			a.all[i].order = i + 1;
		again(f, &a.all[i]);
		free(a.all[i].directory);
	}
	free(a.all);
}
