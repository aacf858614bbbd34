/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aligned buffers for O_DIRECT if the submitter's memory is not aligned. A lane has a few and keeps them; large
 * requests use one buffer repeatedly, and requests that find none free wait for one.
 */
#include <errno.h>
#include <stdlib.h>

#include "stores/file.h"

#define BOUNCES_MAX 16
#define BOUNCE_ALIGN 4096u	/* a page is enough for every device */

struct file_bounce {
	struct file_bounce *next;	/* stored in the free buffer itself */
};

static void bounce_wait(struct file_lane *lane, struct dm_req *r)
{
	r->next = NULL;
	*lane->starved_tail = r;
	lane->starved_tail = &r->next;
}

static void *bounce_new(struct file_lane *lane)
{
	void *b = lane->n_bounces < BOUNCES_MAX ? aligned_alloc(BOUNCE_ALIGN, FILE_BOUNCE_BYTES) : NULL;

	if (b)
		lane->n_bounces++;
	return b;
}

void *file_bounce_take(struct file_lane *lane, struct dm_req *r)
{
	struct file_bounce *b = lane->bounces;

	if (b) {
		lane->bounces = b->next;
		return b;
	}
	b = bounce_new(lane);
	if (!b && lane->n_bounces)
		bounce_wait(lane, r);
	else if (!b)
		file_end(r, -ENOMEM);
	return b;
}

void file_bounce_give(struct file_lane *lane, void *buf)
{
	struct file_bounce *b = buf;
	struct dm_req *r = lane->starved;

	b->next = lane->bounces;
	lane->bounces = b;
	if (!r)
		return;
	lane->starved = r->next;
	if (!lane->starved)
		lane->starved_tail = &lane->starved;
	file_rw_next(r);
}

void file_bounce_free(struct file_lane *lane)
{
	struct file_bounce *b;

	while ((b = lane->bounces)) {
		lane->bounces = b->next;
		free(b);
	}
}
