/* SPDX-License-Identifier: BSD-2-Clause */
/* See state_disk.h. What is written now lies in pages, each of which begins as a copy of what was below. */
#include "crash/state_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/req.h"
#include "crash/sector_map.h"

#define PAGE 4096u
#define GROUP 512u		/* pages */
#define GROUP_BYTES ((uint64_t)GROUP * PAGE)

struct page {
	struct page **place;		/* where it is entered ... */
	struct page *next;		/* ... and the one that was written to before */
	uint8_t data[PAGE];
};

struct state_disk {
	const struct history *history;
	const uint8_t *base;
	struct sector_map durable;
	size_t applied;			/* so many writes are in it */
	struct sector_map survived;	/* of the epoch of the cut */
	struct page ***groups;		/* of pages */
	size_t n_groups;
	struct page *written;		/* all of them */
};

int state_disk_new(struct state_disk **out, const struct history *h, const uint8_t *base)
{
	struct state_disk *d = calloc(1, sizeof(*d));

	*out = d;
	if (!d)
		return -ENOMEM;
	*d = (struct state_disk){ .history = h, .base = base, .n_groups = (size_t)(h->size / PAGE / GROUP + 1) };
	d->groups = calloc(d->n_groups, sizeof(*d->groups));
	if (d->groups && !sector_map_new(&d->durable, h->size >> DM_SECTOR_SHIFT) &&
	    !sector_map_new(&d->survived, h->size >> DM_SECTOR_SHIFT))
		return 0;
	state_disk_free(d);
	*out = NULL;
	return -ENOMEM;
}

static void disk_forget(struct state_disk *d)
{
	struct page *p;

	while ((p = d->written)) {
		*p->place = NULL;
		d->written = p->next;
		free(p);
	}
}

void state_disk_free(struct state_disk *d)
{
	size_t i;

	if (!d)
		return;
	disk_forget(d);
	for (i = 0; d->groups && i < d->n_groups; i++)
		free(d->groups[i]);
	free(d->groups);
	sector_map_free(&d->durable);
	sector_map_free(&d->survived);
	free(d);
}

static struct page *disk_page(const struct state_disk *d, uint64_t page)
{
	struct page **group = d->groups[page / GROUP];

	return group ? group[page % GROUP] : NULL;
}

/* N bytes inside one page, from what is below the pages. */
static void disk_read_below(const struct state_disk *d, uint64_t at, uint8_t *to, size_t n)
{
	const uint8_t *sector;
	size_t in, part;

	for (; n; n -= part, at += part, to += part) {
		in = at % DM_SECTOR;
		part = DM_SECTOR - in < n ? DM_SECTOR - in : n;
		sector = sector_map_get(&d->survived, at >> DM_SECTOR_SHIFT);
		if (!sector)
			sector = sector_map_get(&d->durable, at >> DM_SECTOR_SHIFT);
		memcpy(to, sector ? sector + in : d->base + at, part);
	}
}

void state_disk_read(const struct state_disk *d, uint64_t at, void *to, size_t n)
{
	const struct page *page;
	uint8_t *p = to;
	size_t part;

	for (; n; n -= part, at += part, p += part) {
		part = PAGE - at % PAGE < n ? PAGE - at % PAGE : n;
		page = disk_page(d, at / PAGE);
		if (page)
			memcpy(p, page->data + at % PAGE, part);
		else
			disk_read_below(d, at, p, part);
	}
}

static struct page *disk_new_page(struct state_disk *d, uint64_t page)
{
	struct page ***group = &d->groups[page / GROUP], *p = malloc(sizeof(*p));
	uint64_t at = page * PAGE, left = d->history->size - at;

	if (!*group)
		*group = calloc(GROUP, sizeof(**group));
	if (!p || !*group) {
		free(p);
		return NULL;
	}
	p->place = &(*group)[page % GROUP];
	p->next = d->written;
	disk_read_below(d, at, p->data, left < PAGE ? (size_t)left : PAGE);
	d->written = *p->place = p;
	return p;
}

/* FROM: NULL for zeros. */
static int disk_put(struct state_disk *d, uint64_t at, const uint8_t *from, uint64_t n)
{
	struct page *page;
	size_t part;

	for (; n; n -= part, at += part, from = from ? from + part : NULL) {
		part = PAGE - at % PAGE < n ? PAGE - at % PAGE : (size_t)n;
		page = disk_page(d, at / PAGE);
		if (!page)
			page = disk_new_page(d, at / PAGE);
		if (!page)
			return -ENOMEM;
		if (from)
			memcpy(page->data + at % PAGE, from, part);
		else
			memset(page->data + at % PAGE, 0, part);
	}
	return 0;
}

int state_disk_write(struct state_disk *d, uint64_t at, const void *from, size_t n)
{
	return disk_put(d, at, from, n);
}

static bool disk_has_pages(const struct state_disk *d, uint64_t group)
{
	size_t i;

	for (i = 0; d->groups[group] && i < GROUP; i++)
		if (d->groups[group][i])
			return true;
	return false;
}

/* A group as a whole needs no pages, so that discarding a huge disk is cheap: the state below has zeros there. */
int state_disk_zero(struct state_disk *d, uint64_t at, uint64_t n)
{
	uint64_t part;
	int r = 0;

	for (; n && !r; n -= part, at += part) {
		part = GROUP_BYTES - at % GROUP_BYTES < n ? GROUP_BYTES - at % GROUP_BYTES : n;
		if (part == GROUP_BYTES && !disk_has_pages(d, at / GROUP_BYTES))
			r = sector_map_put(&d->survived, at >> DM_SECTOR_SHIFT, part >> DM_SECTOR_SHIFT, NULL);
		else
			r = disk_put(d, at, NULL, part);
	}
	return r;
}

/* What is before the epoch of the cut is there. */
static int disk_make_durable(struct state_disk *d, size_t writes)
{
	const struct history_write *w;
	int r = 0;

	if (writes < d->applied) {
		sector_map_clear(&d->durable);
		d->applied = 0;
	}
	for (; !r && d->applied < writes; d->applied++) {
		w = &d->history->writes[d->applied];
		r = sector_map_put(&d->durable, w->sector, w->count, w->data);
	}
	return r;
}

/* COUNT sectors of W, from SECTOR of the disk on. */
static int disk_survives(struct state_disk *d, const struct history_write *w, uint64_t sector, uint64_t count)
{
	return sector_map_put(&d->survived, sector, count, w->data ? w->data + ((sector - w->sector) << DM_SECTOR_SHIFT) : NULL);
}

/* Writes of the epoch: those that are durable already, and the pieces that are there. */
static int disk_add_epoch(struct state_disk *d, const struct state *s)
{
	const struct history *h = s->history;
	const struct piece_of_cut *p = s->pieces.at, *end = p + s->pieces.n;
	size_t w;
	int r = 0;

	sector_map_clear(&d->survived);
	for (w = s->cut->first; !r && w < s->cut->last; w++) {
		if (!history_is_candidate(h, s->cut, w))
			r = disk_survives(d, &h->writes[w], h->writes[w].sector, h->writes[w].count);
		for (; !r && p < end && p->write == w; p++)
			if (!s->lost[p - s->pieces.at])
				r = disk_survives(d, &h->writes[w], p->sector, p->count);
	}
	return r;
}

int state_disk_become(struct state_disk *d, const struct state *s)
{
	int r;

	disk_forget(d);
	r = disk_make_durable(d, s->cut->first);
	return r ? r : disk_add_epoch(d, s);
}
