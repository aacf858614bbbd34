/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the metadata of an array, and assembles it; tries dead legs again: see metadata.h. Functions without another word are the clerk's. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "targets/raid/array.h"
#include "targets/raid/assemble.h"
#include "targets/raid/format.h"

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static void supers_read(struct array *a, struct raid_found *found)
{
	struct metadata *m = &a->metadata;
	unsigned i;
	int err;

	for (i = 0; i < a->raid->n; i++) {
		const struct dm_at *at = &a->raid->legs[i].meta;

		found[i] = (struct raid_found){ .failed = false };
		if (!at->store)
			continue;
		err = clerk_read(m->clerk, at, 0, m->block / DM_SECTOR, m->super);
		found[i].failed = err;
		found[i].has = !err && raid_super_read(&found[i].super, m->super);
		if (err)
			log_warn("raid1: the superblock of leg %u, on %s, cannot be read: %s", i, at->store->name, strerror(-err));
	}
}

/* Regions that a good leg has marked may differ. A bitmap that is out of date marks all. */
static void bitmap_tells(struct array *a, const struct raid_found *f, const struct raid_bitmap *b, const uint8_t *raw, size_t bytes)
{
	bool says = b->events >= f->super.events && !(b->state & RBM_STALE);
	uint64_t region, from, to;

	if (b->cleared > a->metadata.cleared)
		a->metadata.cleared = b->cleared;
	if (!says)
		log_warn("raid1: all is copied, because a bitmap is out of date: it has %llu events, and its superblock %llu",
			 (unsigned long long)b->events, (unsigned long long)f->super.events);
	for (region = 0; region < a->regions.n; region++) {
		from = region << a->regions.shift;
		to = from + a->region < a->sectors ? from + a->region : a->sectors;
		if (from < b->sectors && to > b->sectors)
			to = b->sectors;	/* the rest is new */
		if (!says || raid_bits_have(b, raw, bytes, from, to))
			region_begins(&a->regions, region, false);
	}
}

/* Leg I's cannot be read; the others' say the same. */
static int bitmap_not_read(struct array *a, unsigned i, int err, struct err *e)
{
	const char *name = a->raid->legs[i].meta.store->name;

	if (array_legs(a, LEG_GOOD) == 1)
		return err_set(e, err, "the bitmap on '%.200s', of the last good leg, cannot be read: %s", name, strerror(-err));
	log_warn("raid1: the bitmap of leg %u, on %s, cannot be read: %s", i, name, strerror(-err));
	atomic_store(&a->raid->legs[i].state, LEG_DEAD);
	return 0;
}

/* As many sectors as its bitmap may take, whatever its regions are. */
static uint64_t bitmap_most(const struct array *a, unsigned leg)
{
	uint64_t block = a->metadata.block / DM_SECTOR, left = a->raid->legs[leg].meta.store->sectors - RBM_AT / DM_SECTOR;
	uint64_t most = raid_bitmap_bytes(a->sectors, a->metadata.block) / DM_SECTOR;

	return left < most ? left / block * block : most;
}

static int bitmap_read(struct array *a, unsigned i, const struct raid_found *f, struct err *e)
{
	const struct dm_at *at = &a->raid->legs[i].meta;
	uint64_t sectors = bitmap_most(a, i);
	uint8_t *raw = aligned_alloc(4096, (sectors * DM_SECTOR + 4095) / 4096 * 4096);
	struct raid_bitmap b;
	int err;

	if (!raw)
		return err_set(e, -ENOMEM, "no memory for a bitmap of %llu sectors", (unsigned long long)sectors);
	err = clerk_read(a->metadata.clerk, at, RBM_AT / DM_SECTOR, sectors, raw);
	if (err)
		err = bitmap_not_read(a, i, err, e);
	else if (raid_bitmap_read(&b, raw, sectors * DM_SECTOR, e))
		err = err_prefix(e, "'%.200s': ", at->store->name);
	else
		bitmap_tells(a, f, &b, raw, sectors * DM_SECTOR);
	free(raw);
	return err;
}

/* What the legs have in common, before what is marked counts. */
static void regions_begin(struct array *a, const struct raid_verdict *v)
{
	uint64_t region, equal = v->synchronous < v->size ? v->synchronous : v->size, to;

	for (region = 0; region < a->regions.n; region++) {
		to = (region + 1) << a->regions.shift;
		region_begins(&a->regions, region, (to < a->sectors ? to : a->sectors) <= equal);
	}
}

static int regions_tell(struct array *a, const struct raid_found *found, const struct raid_verdict *v, struct err *e)
{
	unsigned i;
	int err = 0;

	regions_begin(a, v);
	for (i = 0; !err && !v->is_new && i < a->raid->n; i++)
		if (found[i].has && leg_state(&a->raid->legs[i]) == LEG_GOOD)
			err = bitmap_read(a, i, &found[i], e);
	return err;
}

/* --- the beginning ---------------------------------------------------------------------------------------------------------- */

static void bitmap_begin(struct array *a)
{
	struct metadata *m = &a->metadata;
	uint64_t region;

	memset(m->bitmap, 0, m->bytes);
	for (region = 0; region < a->regions.n; region++)
		if (!region_is_synchronous(&a->regions, region))
			raid_bit_set(m->bitmap, region, true);
	memset(m->changed, 1, m->bytes / m->block);
}

static int begin(struct array *a, struct err *e)
{
	struct raid_found found[RAID1_LEGS];
	struct metadata *m = &a->metadata;
	struct raid_verdict v;
	int err;

	m->cleared = 0;
	supers_read(a, found);
	if (raid_assemble(a->raid->legs, found, a->raid->n, a->raid->begins, a->sectors, &v, e))
		return e->code;
	if (regions_tell(a, found, &v, e))
		return e->code;
	array_look_at_legs(a);
	m->events = v.events;
	a->actions.synchronous = array_legs(a, LEG_GOOD) < 2 ? RAID_ALL : v.synchronous < v.size ? v.synchronous : v.size;
	atomic_store(&m->synchronous, a->actions.synchronous);
	atomic_store(&a->differs, atomic_load(&a->regions.synchronous) < a->regions.n && array_legs(a, LEG_GOOD) > 1);
	bitmap_begin(a);
	err = metadata_write(a);
	if (!err && m->events == RSB_FIRST)
		err = metadata_write(a);
	return err ? err_set(e, err, "writing the metadata of the array was cut short: %s", strerror(-err)) : 0;
}

void metadata_job_begin(struct clerk *c, struct clerk_job *j)
{
	struct array *a = clerk_owner(c);
	struct dm_step *s = a->metadata.asked;
	int err;

	(void)j;
	err = begin(a, s->err);
	if (!err)
		array_has_begun(a);	/* else the next resume reads them, too */
	dm_step_done(s, err);
}

void metadata_begin(struct array *a, struct dm_step *s)
{
	a->metadata.asked = s;
	clerk_post(a->metadata.clerk, &a->metadata.begin);
}

static bool has_super(struct array *a, const struct raid_leg *l)
{
	struct metadata *m = &a->metadata;
	struct raid_super s;

	return l->meta.store && !clerk_read(m->clerk, &l->meta, 0, m->block / DM_SECTOR, m->super) && raid_super_read(&s, m->super);
}

/* Dead legs whose superblock can be read are behind: they lack what is marked, or all. */
void metadata_job_again(struct clerk *c, struct clerk_job *j)
{
	struct array *a = clerk_owner(c);
	struct metadata *m = &a->metadata;
	bool back = atomic_exchange(&m->lost, false);
	unsigned i;
	int err = 0;

	(void)j;
	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		if (leg_state(l) != LEG_DEAD || !has_super(a, l))
			continue;
		l->recovered = l->whole ? l->recovered : 0;
		atomic_store(&l->state, LEG_BEHIND);
		back = true;
	}
	array_look_at_legs(a);
	if (back)
		regions_distrust(&a->regions);
	if (back || m->unwritten) {
		memset(m->changed, 1, m->bytes / m->block);
		err = metadata_write(a);
	}
	if (err)
		err_set(m->asked->err, err, "writing the metadata of the array was cut short: %s", strerror(-err));
	dm_step_done(m->asked, err);
}

void metadata_again(struct array *a, struct dm_step *s)
{
	a->metadata.asked = s;
	clerk_post(a->metadata.clerk, &a->metadata.again);
}
