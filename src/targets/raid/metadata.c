/* SPDX-License-Identifier: BSD-2-Clause */
/* The metadata of an array: see metadata.h. Functions without another word are the clerk's. */
#include "targets/raid/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/device/event.h"
#include "targets/raid/array.h"
#include "targets/raid/format.h"

static bool leg_has_metadata(const struct raid_leg *l)
{
	return leg_is_written(l) && l->meta.store;
}

static uint64_t metadata_sectors(uint64_t regions, uint32_t block)
{
	return (RBM_AT + raid_bitmap_bytes(regions, block)) / DM_SECTOR;
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */

/* Leg I's could not be written. If that was the last good one, nothing can be marked any more. ERR if that was only cut short, or 0. */
static int leg_not_written(struct array *a, unsigned i, int err)
{
	if (dm_is_interrupted(err))
		return err;
	if (array_leg_fails(a, i, "have its metadata written") || leg_state(&a->raid->legs[i]) != LEG_GOOD)
		return 0;
	if (!atomic_exchange(&a->metadata.lost, true)) {
		log_warn("raid1: the metadata of the last good leg, on %s, cannot be written: %s", a->raid->legs[i].meta.store->name,
			 strerror(-err));
		dm_event_raise(a->target->table);
	}
	return 0;
}

/* Blocks of the bitmap from FROM to TO (excluded). */
static int leg_write_blocks(struct array *a, const struct raid_leg *l, size_t from, size_t to)
{
	struct metadata *m = &a->metadata;
	uint32_t sectors = m->block / DM_SECTOR;

	return clerk_write(m->clerk, &l->meta, RBM_AT / DM_SECTOR + from * sectors, (to - from) * sectors, m->bitmap + from * m->block, 0);
}

static int leg_write_changed(struct array *a, const struct raid_leg *l, bool durable)
{
	struct metadata *m = &a->metadata;
	size_t n = m->bytes / m->block, from, to = 0;
	int err = 0;

	for (from = 0; !err && from < n; from = to) {
		for (; from < n && !m->changed[from]; from++)
			;
		for (to = from; to < n && m->changed[to]; to++)
			;
		if (from < to)
			err = leg_write_blocks(a, l, from, to);
	}
	return err || !durable ? err : clerk_flush(m->clerk, &l->meta);
}

/* What has changed of the bitmap goes to all legs. 0; or where that was cut short the error, and it is still changed. */
static int bitmap_write(struct array *a, bool durable)
{
	int err, cut = 0;
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		err = leg_has_metadata(l) ? leg_write_changed(a, l, durable) : 0;
		if (err && leg_not_written(a, i, err))
			cut = err;
	}
	if (!cut)
		memset(a->metadata.changed, 0, a->metadata.bytes / a->metadata.block);
	return cut;
}

static void bitmap_write_header(struct array *a)
{
	const struct raid_words *w = &a->raid->words;
	struct metadata *m = &a->metadata;
	struct raid_bitmap b = {
		.events = m->events, .cleared = m->cleared, .sectors = a->sectors, .region = (uint32_t)(a->region * DM_SECTOR),
		.sleep = raid_is_given(w, RAID_SLEEP) ? (uint32_t)(w->numbers[RAID_SLEEP] + 999) / 1000 : RBM_SLEEP,
		.behind = (uint32_t)w->numbers[RAID_BEHIND],
	};

	b.sleep = b.sleep ? b.sleep : 1;
	raid_bitmap_write(&b, m->bitmap);
	m->changed[0] = 1;
}

static void super_of(const struct array *a, unsigned leg, struct raid_super *s)
{
	const struct raid_leg *legs = a->raid->legs;
	unsigned i;

	*s = (struct raid_super){
		.legs = a->raid->n, .position = leg, .events = a->metadata.events, .level = 1, .new_level = 1, .reshaped = RAID_ALL,
		.leg_recovered = leg_state(&legs[leg]) == LEG_GOOD ? RAID_ALL : legs[leg].whole ? legs[leg].recovered : 0,
		.synchronous = atomic_load(&a->metadata.synchronous), .sectors = a->sectors, .leg_sectors = a->sectors,
	};
	for (i = 0; i < a->raid->n; i++)
		if (leg_state(&legs[i]) < LEG_BEHIND)
			s->failed[i / 64] |= UINT64_C(1) << i % 64;
}

static int supers_write(struct array *a)
{
	struct metadata *m = &a->metadata;
	struct raid_super s;
	int err, cut = 0;
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		if (!leg_has_metadata(&a->raid->legs[i]))
			continue;
		super_of(a, i, &s);
		raid_super_write(&s, m->super, m->block);
		err = clerk_write(m->clerk, &a->raid->legs[i].meta, 0, m->block / DM_SECTOR, m->super, DM_FUA);
		if (err && leg_not_written(a, i, err))
			cut = err;
	}
	return cut;
}

/* The bitmap first: one that is older than its superblock counts as out of date. */
int metadata_write(struct array *a)
{
	struct metadata *m = &a->metadata;
	int err;

	m->events++;
	if (!atomic_load(&a->degraded))
		m->cleared = m->events;
	bitmap_write_header(a);
	err = bitmap_write(a, true);
	if (!err)
		err = supers_write(a);
	m->unwritten = err;
	return err;
}

static void job_record(struct clerk *c, struct clerk_job *j)
{
	struct array *a = clerk_owner(c);
	int err;

	(void)j;
	do {
		pthread_mutex_lock(&a->lock);
		a->changed = false;
		pthread_mutex_unlock(&a->lock);
		err = metadata_write(a);
	} while (!array_is_recorded(a, err));
}

void metadata_record(struct array *a)
{
	bool post;

	atomic_store(&a->metadata.synchronous, a->actions.synchronous);
	pthread_mutex_lock(&a->lock);
	post = array_to_record(a);
	pthread_mutex_unlock(&a->lock);
	if (post)
		clerk_post(a->metadata.clerk, &a->metadata.record);
}

/* --- marks ------------------------------------------------------------------------------------------------------------------ */

static void set_mark(void *owner, uint64_t region, bool marked)
{
	struct metadata *m = &((struct array *)owner)->metadata;

	if (raid_bit(m->bitmap, region) == marked)
		return;
	raid_bit_set(m->bitmap, region, marked);
	m->changed[(RBM_HEADER + region / 8) / m->block] = 1;
}

static int write_marks(void *owner, bool durable, bool unmarks)
{
	(void)unmarks;
	return bitmap_write(owner, durable);
}

/* Not while a leg is missing: it may have lost what it had reported as written. */
static bool may_unmark(void *owner)
{
	const struct array *a = owner;

	return !atomic_load(&a->metadata.lost) && !array_keeps_marks(a);
}

static unsigned legs_to_flush(void *owner, const struct dm_at *at[])
{
	const struct array *a = owner;
	unsigned i, n = 0;

	for (i = 0; i < a->raid->n; i++)
		if (leg_is_written(&a->raid->legs[i]))
			at[n++] = &a->raid->legs[i].data;
	return n;
}

static void flush_failed(void *owner, const struct dm_at *at, int err)
{
	struct array *a = owner;

	if (!dm_is_interrupted(err))
		array_leg_fails(a, (unsigned)(container(at, struct raid_leg, data) - a->raid->legs), "be flushed");
}

bool metadata_flush_legs(struct array *a)
{
	const struct dm_at *at[RAID1_LEGS];
	unsigned i, n = legs_to_flush(a, at);
	bool all = true;
	int err;

	for (i = 0; i < n; i++) {
		err = clerk_flush(a->metadata.clerk, at[i]);
		if (err)
			flush_failed(a, at[i], err);
		all &= !err || !leg_is_written(container(at[i], struct raid_leg, data));
	}
	return all;
}

static void marks_news(void *owner, uint64_t region, const struct region_news *news)
{
	array_news(owner, region, news);
}

void metadata_settle(struct array *a, struct dm_step *s)
{
	metadata_record(a);
	marks_settle(&a->metadata.marks, s);
}

/* --- memory ------------------------------------------------------------------------------------------------------------------ */

static uint32_t largest_block(const struct array *a)
{
	uint32_t block = DM_SECTOR;
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		const struct dm_store *s = a->raid->legs[i].meta.store;

		if (s && s->limits.logical > block)
			block = s->limits.logical;
	}
	return block;
}

/* They have to fit. */
static int check_sizes(const struct array *a, struct err *e)
{
	uint64_t needs = metadata_sectors(a->regions.n, a->metadata.block);
	unsigned i;

	if (a->metadata.block > RBM_AT)
		return err_set(e, -EINVAL, "the metadata of an array cannot be on devices with blocks of %u bytes: %u is the most",
			       a->metadata.block, RBM_AT);
	for (i = 0; i < a->raid->n; i++) {
		const struct dm_store *s = a->raid->legs[i].meta.store;

		if (s && s->sectors < needs)
			return err_set(e, -EINVAL, "the metadata of %llu regions need %llu sectors, and '%.200s' has %llu",
				       (unsigned long long)a->regions.n, (unsigned long long)needs, s->name, (unsigned long long)s->sectors);
	}
	return 0;
}

static int metadata_alloc(struct metadata *m, struct err *e)
{
	m->bitmap = aligned_alloc(4096, (m->bytes + 4095) / 4096 * 4096);
	m->changed = calloc(1, m->bytes / m->block);
	m->super = aligned_alloc(4096, RBM_AT);
	return m->bitmap && m->changed && m->super ? 0 : err_set(e, -ENOMEM, "no memory for the metadata of an array");
}

int metadata_new(struct array *a, struct err *e)
{
	static const struct marks_kind kind = {
		.set = set_mark, .write = write_marks, .may_unmark = may_unmark, .legs = legs_to_flush, .flush_failed = flush_failed,
		.news = marks_news,
	};
	struct metadata *m = &a->metadata;

	m->block = largest_block(a);
	m->bytes = raid_bitmap_bytes(a->regions.n, m->block);
	m->begin.run = metadata_job_begin;
	m->again.run = metadata_job_again;
	m->record.run = job_record;
	if (check_sizes(a, e) || metadata_alloc(m, e) || clerk_new(&m->clerk, a->raid->world, a, e))
		return e->code;
	marks_init(&m->marks, &kind, a, a->raid->world, m->clerk, &a->regions);
	if (a->raid->words.numbers[RAID_SLEEP])
		m->marks.rest = a->raid->words.numbers[RAID_SLEEP] * (TIMERS_SECOND / 1000);
	return 0;
}

void metadata_free(struct metadata *m)
{
	clerk_free(m->clerk);
	marks_free(&m->marks);
	free(m->bitmap);
	free(m->changed);
	free(m->super);
}
