/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is merged into the origin leaves its store from the end: see cow.h. A store whose merge is interrupted has the exceptions
 * that are still to be merged, and all others are where they belong.
 */
#include <errno.h>

#include "targets/snapshot/cow.h"

/* The area before the current one, which is empty, is full. */
static bool area_back(struct cow *c)
{
	if (c->committed)
		return true;
	if (!c->area)
		return false;
	pthread_mutex_lock(&c->lock);
	c->area--;
	pthread_mutex_unlock(&c->lock);
	c->committed = c->per_area;
	return true;
}

int cow_merge_next(struct cow *c, struct snap_entry *out, unsigned most)
{
	uint64_t per_block = c->block_bytes / sizeof(struct snap_entry), n, i;
	int err;

	if (!area_back(c))
		return 0;
	err = cow_block_load(c, c->area, c->committed - 1);
	if (err)
		return err;
	n = (c->committed - 1) % per_block + 1;
	if (n > most)
		n = most;
	for (i = 0; i < n; i++)
		out[i] = cow_block_get(c, c->committed - 1 - i);
	return (int)n;
}

/*
 * What is shown is as if all had been written in order, as on Linux. They were not, so what is left may be in any chunk, and the line
 * may become a snapshot again: no chunk is used anew before nothing is left.
 */
static void set_free(struct cow *c)
{
	pthread_mutex_lock(&c->lock);
	c->shown_free = snap_area_chunk(c->area, c->per_area) + c->committed + 1;
	if (!exceptions_count(c->table))
		c->next_free = c->shown_free;
	pthread_mutex_unlock(&c->lock);
}

int cow_merge_clear(struct cow *c, unsigned n)
{
	struct snap_entry e;
	uint64_t old[64];
	unsigned i;
	int err;

	for (i = 0; i < n; i++) {
		e = cow_block_get(c, c->committed - 1 - i);
		old[i] = e.old_chunk;
		cow_block_put(c, c->committed - 1 - i, (struct snap_entry){ 0, 0 });
	}
	err = cow_block_write(c, DM_FUA);
	if (err) {
		c->block_at = UINT64_MAX;
		return err;
	}
	c->committed -= n;
	for (i = 0; i < n; i++)
		exceptions_remove(c->table, old[i]);
	set_free(c);
	return 0;
}
