/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recalculating: the tags of what is on the data device are computed anew, from the first sector on, while the line is used. Up to
 * the superblock's recalc sector they are valid; behind it nothing is verified (in mode B: where the bitmap says so).
 *
 * Each step takes the range of one cut, reads it, computes its tags and changes them in memory, on the clerk. It posts itself anew, so
 * that flushes come in between. Now and then the tags are made durable, and then the place that was reached.
 *
 * Mode R writes nothing at all, so there it does not go on; what is behind that place is not verified either.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/world.h"
#include "targets/integrity/integrity.h"

#define SAVE_SECTORS (512u << 10)	/* what is done anew after a crash, at most */

static void recalc_ends(struct integrity *it)
{
	struct dm_step *waits = it->recalc.stopping;

	it->recalc.works = false;
	it->recalc.stopping = NULL;
	if (waits)
		dm_step_done(waits, 0);
}

/* Up to SECTOR; it is durable at once, or when the line is suspended. */
static int recalc_reached(struct integrity *it, uint64_t sector, bool save)
{
	struct jring_io io;
	int err = 0;

	pthread_mutex_lock(&it->lock);
	it->sb.recalc = sector;
	pthread_mutex_unlock(&it->lock);
	if (!save)
		return 0;
	integrity_journal_io(it, &io);
	err = tags_write_back(it->tags, it->clerk);
	if (!err)
		err = jring_flush(&io);
	return err ? err : integrity_sb_write(it, &it->sb, NULL);
}

static void recalc_done(struct integrity *it)
{
	if (recalc_reached(it, it->f.provided, true))
		return;
	atomic_store(&it->recalc_at, UINT64_MAX);
	if (it->bitmap)
		integrity_is_used(it);		/* its bits can be cleared now */
}

static int range_tags(struct integrity *it, uint64_t sector, uint64_t count)
{
	struct ihash_state *s = ihash_take(&it->hash);
	unsigned block = it->f.block;
	uint64_t i;

	for (i = 0; i < count / block; i++) {
		struct iovec one = { it->recalc.data + i * block * DM_SECTOR, (size_t)block * DM_SECTOR };

		integrity_tag(it, s, sector + i * block, (struct vec){ &one, 0 }, it->recalc.tags + i * it->f.tag_size);
	}
	ihash_give(&it->hash, s);
	return tags_write(it->tags, it->clerk, iformat_tag(&it->f, sector), count / block * it->f.tag_size, it->recalc.tags);
}

static int range_recalc(struct integrity *it, const struct range *r)
{
	int err;

	if (it->bitmap && !ibitmap_is_invalid(it->bitmap, r->sector, r->count))
		return 0;
	err = clerk_read(it->clerk, &it->data, iformat_data(&it->f, r->sector), r->count, it->recalc.data);
	if (!err)
		err = range_tags(it, r->sector, r->count);
	return err;
}

/* With its range. */
static void recalc_range(struct integrity *it)
{
	struct range *r = &it->recalc.range;
	uint64_t end = r->sector + r->count;
	int err = range_recalc(it, r);

	if (!err) {
		if (it->bitmap)
			ibitmap_is_valid(it->bitmap, r->sector, r->count);
		atomic_store(&it->recalc_at, end);
		err = recalc_reached(it, end, end % SAVE_SECTORS < r->count);
	}
	range_give(it->ranges, r, it->cut);
	if (err)
		log_warn("integrity: tags on '%s' cannot be recalculated from sector %llu on: %s; a resume tries again", it->meta.store->name,
			 (unsigned long long)r->sector, strerror(-err));
	it->recalc.failed = err;
}

static void recalc_got(struct range *r)
{
	struct integrity *it = container(r, struct integrity, recalc.range);

	it->recalc.has_range = true;
	clerk_post(it->clerk, &it->recalc.job);
}

static bool recalc_take(struct integrity *it)
{
	struct range *r = &it->recalc.range;
	uint64_t at = it->sb.recalc, left = it->f.provided - at, cut = it->cut - at % it->cut;

	*r = (struct range){ .sector = at, .count = left < cut ? left : cut, .writes = true, .got = recalc_got, .home = it->world->loop };
	return range_take(it->ranges, r, it->cut);
}

static void recalc_step(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);

	if (it->recalc.stopping && it->recalc.has_range)
		range_give(it->ranges, &it->recalc.range, it->cut);
	if (it->recalc.stopping || it->recalc.failed) {
		recalc_ends(it);
		return;
	}
	if (it->sb.recalc >= it->f.provided) {
		recalc_done(it);
		recalc_ends(it);
		return;
	}
	if (!it->recalc.has_range && !recalc_take(it))
		return;
	it->recalc.has_range = false;
	recalc_range(it);
	clerk_post(c, j);
}

void integrity_recalc_resume(struct integrity *it)
{
	if (it->words.mode == 'R' || atomic_load(&it->recalc_at) == UINT64_MAX)
		return;
	it->recalc.works = true;
	it->recalc.has_range = false;
	it->recalc.failed = 0;
	it->recalc.job.run = recalc_step;
	clerk_post(it->clerk, &it->recalc.job);
}

/* It stops at its next step; if it waits for a range, it has that soon. */
static void recalc_stop(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);

	(void)j;
	if (it->recalc.works)
		it->recalc.stopping = it->step;
	else
		dm_step_done(it->step, 0);
}

void integrity_recalc_presuspend(struct integrity *it, struct dm_step *s)
{
	it->step = s;
	it->hook.run = recalc_stop;
	clerk_post(it->clerk, &it->hook);
}
