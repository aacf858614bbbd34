/* SPDX-License-Identifier: BSD-2-Clause */
/* See recent.h. There are sixteen places for each block that can wait, so most of what is found is there. */
#include "targets/log_writes/recent.h"

#include <errno.h>
#include <stdlib.h>

#define RECENT_BITS 18u
#define RECENT_WIDE BLOCK_MOST	/* sectors */
#define RECENT_PAGE (BLOCK_PAGE >> DM_SECTOR_SHIFT)

int recent_new(struct recent *r, struct err *e)
{
	*r = (struct recent){ .last = calloc((size_t)1 << RECENT_BITS, sizeof(*r->last)) };
	return r->last ? 0 : err_set(e, -ENOMEM, "no memory to log writes");
}

void recent_free(struct recent *r)
{
	free(r->last);
}

static size_t recent_place(uint64_t page)
{
	return (size_t)(page * UINT64_C(0x9e3779b97f4a7c15) >> (64 - RECENT_BITS));
}

static uint64_t block_page(const struct block *b)
{
	return b->sector / RECENT_PAGE;
}

static uint64_t block_last_page(const struct block *b)
{
	return (b->sector + b->count - 1) / RECENT_PAGE;
}

void recent_note(struct recent *r, const struct block *b)
{
	uint64_t page;

	if (b->count > RECENT_WIDE)
		r->wide = b->number;
	else
		for (page = block_page(b); page <= block_last_page(b); page++)
			r->last[recent_place(page)] = b->number;
}

bool recent_overlaps(const struct recent *r, const struct block *b, uint64_t oldest)
{
	uint64_t page;

	if (r->wide >= oldest || b->count > RECENT_WIDE)
		return true;
	for (page = block_page(b); page <= block_last_page(b); page++)
		if (r->last[recent_place(page)] >= oldest)
			return true;
	return false;
}
