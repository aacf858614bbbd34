/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts entries on the device of a log: see pen.h. */
#include "targets/log_writes/pen.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/log_writes/format.h"

#define SHEET ((size_t)1 << 20)		/* a multiple of every sector size */

int pen_begin(struct pen *p, const struct dm_at *at, struct err *e)
{
	p->at = *at;
	p->sheet = aligned_alloc(4096, SHEET);
	return p->sheet ? 0 : err_set(e, -ENOMEM, "no memory to write a log with");
}

void pen_end(struct pen *p)
{
	free(p->sheet);
}

int pen_finish(struct pen *p, struct clerk *c)
{
	int err = 0;

	if (p->used)
		err = clerk_write(c, &p->at, p->sector, p->used >> DM_SECTOR_SHIFT, p->sheet, 0);
	p->sector += p->used >> DM_SECTOR_SHIFT;
	p->used = 0;
	return err;
}

/* Room on the sheet: at least one byte, at most BYTES; *GOT says how many. NULL: the device has failed. */
static uint8_t *pen_room(struct pen *p, struct clerk *c, size_t bytes, size_t *got, int *err)
{
	uint8_t *room;

	*err = p->used == SHEET ? pen_finish(p, c) : 0;
	*got = SHEET - p->used < bytes ? SHEET - p->used : bytes;
	room = p->sheet + p->used;
	if (!*err)
		p->used += *got;
	return *err ? NULL : room;
}

/* A sector with HEAD and TEXT in it. */
static int pen_sector(struct pen *p, struct clerk *c, const void *head, size_t len, const char *text)
{
	size_t got;
	int err;
	uint8_t *to = pen_room(p, c, p->sector_size, &got, &err);

	if (!to)
		return err;
	memset(to, 0, p->sector_size);
	memcpy(to, head, len);
	memcpy(to + len, text, strlen(text));
	return 0;
}

static int pen_data(struct pen *p, struct clerk *c, const struct block *b, const struct block_memory *m)
{
	size_t bytes = b->count << DM_SECTOR_SHIFT, done = 0, got;
	uint8_t *to;
	int err;

	for (; done < bytes; done += got) {
		to = pen_room(p, c, bytes - done, &got, &err);
		if (!to)
			return err;
		if (b->zeroes)
			memset(to, 0, got);
		else
			block_data(m, b, done, to, got);
	}
	return 0;
}

int pen_entry(struct pen *p, struct clerk *c, uint64_t sector, const struct block *b, const struct block_memory *m)
{
	uint32_t unit = p->sector_size / DM_SECTOR;
	const char *text = b->mark ? b->mark : "";
	struct wlog_disk_entry d = { .sector = htole64(b->sector / unit), .sectors = htole64(b->count / unit),
				     .flags = htole64(b->flags), .data_len = htole64(strlen(text)) };
	int err;

	if (!p->used)
		p->sector = sector;
	err = pen_sector(p, c, &d, sizeof(d), text);
	return err || b->flags & WLOG_DISCARD ? err : pen_data(p, c, b, m);
}

/* The superblock of an older log would count what is overwritten now. */
int pen_begin_log(struct pen *p, struct clerk *c)
{
	int err;

	if (p->begun)
		return 0;
	p->begun = true;
	p->sector = 0;
	err = pen_sector(p, c, "", 0, "");
	return err ? err : pen_finish(p, c);
}

/* The superblock never says more than is on the device. */
int pen_super(struct pen *p, struct clerk *c, uint64_t entries)
{
	struct wlog_super s = { .magic = htole64(WLOG_MAGIC), .version = htole64(WLOG_VERSION), .entries = htole64(entries),
				.sector_size = htole32(p->sector_size) };
	int err = pen_finish(p, c);

	if (err)
		return err;
	p->sector = 0;
	err = pen_sector(p, c, &s, sizeof(s), "");
	return err ? err : pen_finish(p, c);
}
