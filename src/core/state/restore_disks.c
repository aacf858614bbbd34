/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks of an earlier daemon, with the numbers that they had: see restore.h. Partitions are read from their labels again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "core/device/devices.h"
#include "core/device/loopdev.h"
#include "core/state/lost.h"
#include "core/state/record_lost.h"
#include "core/state/recorder.h"
#include "core/state/restore_item.h"
#include "core/table/kept.h"

struct disk {
	char *name, *value;		/* in lines, the last ones are those of its store */
	const char *word;
	uint32_t minor, refs, read_ahead;
	bool readonly, locked;
	bool is_loop;
	struct dm_loop loop;
};

struct disks {
	struct disk *all;
	size_t n;
	struct err *err;
};

static void read_line(struct disk *d, char *line)
{
	char *at = line + strcspn(line, " ");

	sscanf(line, "minor %" SCNu32, &d->minor);
	sscanf(line, "refs %" SCNu32, &d->refs);
	sscanf(line, "read-ahead %" SCNu32, &d->read_ahead);
	d->readonly = d->readonly || !strcmp(line, "readonly");
	d->locked = d->locked || !strcmp(line, "locked");
	d->is_loop = d->is_loop || dm_loop_read(line, &d->loop);
	if (!strncmp(line, "word ", 5))
		d->word = words_next(&at, NULL);
}

/* Up to the store, which is compared as it is. */
static void read_disk(struct disk *d, char *copy)
{
	char *line = copy, *end;

	for (; *line && strncmp(line, "store ", 6); line = end) {
		end = words_line(line);
		if (*end)
			*end++ = '\0';
		read_line(d, line);
	}
}

static int see(void *arg, const char *key, const char *value, size_t len)
{
	struct disks *disks = arg;
	struct disk *more, d = { .refs = 1 };
	char *copy;
	bool ok;

	if (strncmp(key, "disk/", 5))
		return 0;
	more = realloc(disks->all, (disks->n + 1) * sizeof(*more));
	if (more)
		disks->all = more;
	d.name = strdup(key + 5);
	d.value = strndup(value, len);
	copy = strndup(value, len);
	ok = more && d.name && d.value && copy;
	if (ok) {
		read_disk(&d, copy);
		ok = !d.word || (d.word = strdup(d.word));
	}
	free(copy);
	if (!ok) {
		free(d.name);
		free(d.value);
		return err_set(disks->err, -ENOMEM, "no memory for the disks of the state");
	}
	disks->all[disks->n++] = d;
	return 0;
}

static int by_minor(const void *a, const void *b)
{
	const struct disk *x = a, *y = b;

	return x->minor < y->minor ? -1 : x->minor > y->minor;
}

static int disk_check(struct dm_device *d, const struct disk *is, struct err *e)
{
	if (!dm_restore_check(d->active, is->value, is->is_loop ? DM_RESTORE_DETACH : DM_RESTORE_UNDISK, e)) {
		dm_stores_lost_again(d->active);
		return 0;
	}
	dm_device_remove(d);
	return e->code;
}

static void disk_is_as_it_was(struct dm_device *d, const struct disk *is)
{
	d->refs = is->refs;
	d->read_ahead = is->read_ahead;
	d->locked = is->locked;
}

static struct dm_device *disk_alone(struct dm_world *w, const struct disk *is)
{
	const struct dm_cmd c = { .world = w, .name = is->name, .has_minor = true, .minor = is->minor,
				  .flags = is->readonly ? DM_WITH_READONLY : 0 };
	struct err e = ERR_INIT;
	struct dm_device *d;

	if (is->is_loop ? dm_device_new_loop(&d, w, &c, &e) : dm_device_new_disk(&d, w, &c, &e))
		return NULL;
	if (is->is_loop) {
		d->loopdev->is = is->loop;
		dm_loop_autoclear(d, is->loop.flags & DM_LOOP_AUTOCLEAR);
	}
	return d;
}

/* Whoever uses it waits; so devices that stand on it come back. */
static bool disk_waits(struct dm_world *w, const struct disk *is, const struct err *why)
{
	struct dm_device *d = disk_alone(w, is);
	struct dm_table *lost;

	if (!d)
		return false;
	if (dm_lost_disk_new(&lost, d, is->value, why->text)) {
		dm_device_leave(d);
		dm_device_free(d);
		return false;
	}
	lost->lost->was_active = true;
	lost->lost->late = why->code == -ETIMEDOUT;
	restore_suspended(d, lost);
	disk_is_as_it_was(d, is);
	dm_device_changed(d, DM_ADDED);
	restore_parts(d, is->value, why->text);
	return true;
}

/* One that cannot even wait stays recorded. */
static void disk_not_there(struct restore *all, const struct disk *is, const struct err *why)
{
	if (is->word && disk_waits(all->world, is, why)) {
		log_error("disk '%s' waits, because its file could not be opened again: %s", is->name, why->text);
		all->lost++;
	} else {
		log_error("disk '%s' could not be brought back: %s", is->name, why->text);
	}
}

static void disk_make(struct restore *all, const struct disk *is)
{
	struct dm_world *w = all->world;
	struct dm_cmd c = { .verb = DM_DO_DISK, .name = is->name, .text = (char *)(uintptr_t)is->word, .has_minor = true,
			    .minor = is->minor, .loop = is->is_loop ? &is->loop : NULL, .flags = DM_WITH_RECORDED, .was = is->value };
	struct dm_kept_hold *kept = dm_kept_hold(is->value);
	struct err e = ERR_INIT;
	struct dm_device *d;
	int r;

	if (is->readonly || (is->is_loop && is->loop.flags & DM_LOOP_READONLY))
		c.flags |= DM_WITH_READONLY;
	r = is->word ? dm_do_now(w, &c) : err_set(&c.reply.err, -EINVAL, "its record has no word");

	d = r ? NULL : dm_find_disk(w, is->name);
	if (r)
		e = c.reply.err;
	else if (d)
		r = disk_check(d, is, &e);
	if (r)
		disk_not_there(all, is, &e);
	else if (d)
		disk_is_as_it_was(d, is);
	if (is->word)
		dm_reply_free(&c.reply);
	dm_kept_let_go(kept);
}

int restore_disks(struct restore *all)
{
	struct disks disks = { .err = all->err };
	int r = all->recorder->each(all->recorder, see, &disks, all->err);
	size_t i;

	if (disks.n)
		qsort(disks.all, disks.n, sizeof(*disks.all), by_minor);
	for (i = 0; i < disks.n; i++) {
		if (!r)
			disk_make(all, &disks.all[i]);
		free(disks.all[i].name);
		free(disks.all[i].value);
		free((char *)(uintptr_t)disks.all[i].word);
	}
	free(disks.all);
	return r;
}
