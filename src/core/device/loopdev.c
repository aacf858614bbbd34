/* SPDX-License-Identifier: BSD-2-Clause */
/* See loopdev.h. What takes time is in command/do_loop.c. */
#include "core/device/loopdev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "core/device/devices.h"
#include "core/device/parts.h"

static void loop_name(uint32_t number, char name[24])
{
	snprintf(name, 24, DM_LOOP_NAME "%" PRIu32, number);
}

int dm_loop_add(struct dm_world *w, uint32_t number, struct dm_device **out, struct err *e)
{
	struct dm_cmd c = { .world = w, .has_minor = true, .minor = number };
	char name[24];
	int r;

	loop_name(number, name);
	if (number >= DM_LOOP_NUMBERS)
		return err_set(e, -EINVAL, "loop devices are numbered from 0 to %u", DM_LOOP_NUMBERS - 1);
	if (dm_find_disk(w, name))
		return err_set(e, -EEXIST, "there is a disk '%s' already", name);
	c.name = name;
	r = dm_device_new_loop(out, w, &c, e);
	if (!r)
		dm_device_changed(*out, DM_ADDED);
	return r;
}

int dm_loop_free(struct dm_world *w, struct dm_device **out, struct err *e)
{
	uint32_t number;
	char name[24];

	for (number = 0; number < DM_LOOP_NUMBERS; number++) {
		loop_name(number, name);
		*out = dm_find_disk(w, name);
		if (!*out)
			return dm_loop_add(w, number, out, e);
		if ((*out)->loopdev && !(*out)->active && !(*out)->loopdev->attaching && !dm_device_moving(*out))
			return 0;
	}
	return err_set(e, -ENOSPC, "all loop devices are in use");
}

int dm_loop_remove(struct dm_device *d)
{
	if (d->active || d->open_count || dm_device_moving(d))
		return -EBUSY;
	dm_device_remove(d);
	return 0;
}

static void loop_last_close(struct dm_device *d)
{
	struct dm_world *w = d->world;
	struct err e = ERR_INIT;

	if (dm_part_in_use(d))
		return;
	dm_record_drop(d);
	if (dm_record_commit(w, NULL, &e))
		log_error("that loop device '%s' is gone is not recorded: %s", d->name, e.text);
	dm_device_remove(d);
}

void dm_loop_autoclear(struct dm_device *d, bool on)
{
	d->deferred = on;
	d->last_close = loop_last_close;
}

int dm_loop_detach(struct dm_device *d, struct err *e)
{
	struct dm_loopdev *l = d->loopdev;
	bool alone = d->open_count == 1 && !dm_part_in_use(d);

	l->before = l->is;
	l->is.flags |= DM_LOOP_AUTOCLEAR;
	if (dm_record_now(d, e)) {
		l->is = l->before;
		return e->code;
	}
	l->detached = alone;
	dm_loop_autoclear(d, true);
	return 0;
}

uint64_t dm_loop_sectors(const struct dm_loop *l, uint64_t sectors, uint32_t block)
{
	uint64_t start = l->offset / DM_SECTOR, n = start < sectors ? sectors - start : 0;

	if (l->limit && l->limit / DM_SECTOR < n)
		n = l->limit / DM_SECTOR;
	return n - n % (block / DM_SECTOR);
}

static int loop_check(const struct dm_device *d, const struct dm_loop *l, const struct dm_store *s, uint32_t block, struct err *e)
{
	if (block < s->limits.logical || block > 4096 || (block & (block - 1)))
		return err_set(e, -EINVAL, "%s: a block has %u to 4096 bytes, and is a power of two, not %u", d->name, s->limits.logical, block);
	if (l->offset % s->limits.logical)
		return err_set(e, -EINVAL, "%s: an offset is a multiple of %u bytes, not %" PRIu64, d->name, s->limits.logical, l->offset);
	if (!dm_loop_sectors(l, s->sectors, block))
		return err_set(e, -EINVAL, "%s: '%.800s' has no whole block of %u bytes from byte %" PRIu64 " on", d->name, s->name,
			       block, l->offset);
	if (l->sectors && l->sectors != dm_loop_sectors(l, s->sectors, block))
		return err_set(e, -EINVAL, "%s: '%.800s' has another size than the file whose place it is to take", d->name, s->name);
	return 0;
}

int dm_loop_table(struct dm_device *d, const struct dm_loop *l, struct dm_store *s, struct dm_table **out, struct err *e)
{
	const struct dm_build_opts o = { .readonly = l->flags & DM_LOOP_READONLY };
	uint32_t block = l->block ? l->block : s->limits.logical;
	struct dm_build *b;
	char words[40];
	int r = loop_check(d, l, s, block, e);

	if (!r)
		r = dm_build_begin(&b, d->world, &o, e);
	if (r)
		return r;
	snprintf(words, sizeof(words), "disk %" PRIu64, l->offset / DM_SECTOR);
	if (!dm_build_know(b, "disk", s))
		dm_build_line(b, 0, dm_loop_sectors(l, s->sectors, block), "linear", words);
	r = dm_build_end(b, out);
	if (r)
		return r;
	(*out)->limits.logical = block;
	if ((*out)->limits.physical < block)
		(*out)->limits.physical = block;
	return 0;
}

void dm_loop_text(const struct dm_loop *l, struct text *out)
{
	text_printf(out, "loop %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", l->offset, l->limit,
		    l->flags, l->block, l->dev, l->ino, l->rdev);
	text_add_word(out, l->name);
	text_add(out, "\n");
}

bool dm_loop_read(char *line, struct dm_loop *out)
{
	struct dm_loop l = { .offset = 0 };
	const char *name;
	int at = 0;

	if (sscanf(line, "loop %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &l.offset, &l.limit,
		   &l.flags, &l.block, &l.dev, &l.ino, &l.rdev, &at) != 7 || !at)
		return false;
	line += at;
	name = words_next(&line, NULL);
	snprintf(l.name, sizeof(l.name), "%s", name ? name : "");
	*out = l;
	return true;
}
