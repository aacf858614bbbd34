/* SPDX-License-Identifier: BSD-2-Clause */
/* An array of raid1, and what its legs are for: see array.h. */
#include "targets/raid/array.h"

#include <stdlib.h>
#include <string.h>

#include "core/state/saved.h"

int array_first(const struct array *a)
{
	const struct raid_leg *legs = a->raid->legs;
	int any = -1;
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		if (leg_state(&legs[i]) != LEG_GOOD)
			continue;
		if (!legs[i].write_mostly)
			return (int)i;
		if (any < 0)
			any = (int)i;
	}
	return any;
}

unsigned array_legs(const struct array *a, enum leg_state state)
{
	unsigned i, n = 0;

	for (i = 0; i < a->raid->n; i++)
		n += leg_state(&a->raid->legs[i]) == state;
	return n;
}

bool array_has_orders(const struct array *a)
{
	unsigned i;

	for (i = 0; i < a->raid->n; i++)
		if (a->raid->legs[i].rebuild)
			return true;
	return false;
}

void array_look_at_legs(struct array *a)
{
	atomic_store(&a->degraded, array_legs(a, LEG_NONE) + array_legs(a, LEG_DEAD));
}

/* --- the constructor --------------------------------------------------------------------------------------------------------- */

/* Without metadata the words alone say what the legs are. Leg by leg, before they are looked at. */
static void array_believe_words(struct array *a)
{
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		l->whole = l->rebuild;
		l->recovered = 0;
		atomic_store(&l->state, !l->data.store ? LEG_NONE : l->rebuild ? LEG_BEHIND : LEG_GOOD);
		a->on_disk |= l->meta.store != NULL;
	}
	array_look_at_legs(a);
}

static int array_new_regions(const struct dm_target *t, struct array *a, struct err *e)
{
	bool all = a->raid->begins == RAID_NOSYNC;
	uint64_t region;
	int err;

	a->sectors = t->len;
	a->region = a->raid->words.numbers[RAID_REGION];
	err = regions_new(&a->regions, (t->len + a->region - 1) / a->region, (unsigned)__builtin_ctzll(a->region), e);
	if (err)
		return err;
	a->regions.marks = a->on_disk;
	a->regions.again = array_again;
	for (region = 0; region < a->regions.n; region++)
		region_begins(&a->regions, region, all);
	return 0;
}

static int array_new_reads(struct array *a, struct err *e)
{
	a->reads = leg_reads_new(a->raid->world);
	return a->reads ? 0 : err_set(e, -ENOMEM, "no memory for the legs of an array");
}

int array_new(struct dm_target *t, struct raid *raid, struct dm_args *args)
{
	struct array *a = dm_args_alloc(args, sizeof(*a));

	if (!a)
		return args->err->code;
	a->raid = raid;
	raid->array = a;
	pthread_mutex_init(&a->lock, NULL);
	raid->begins = dm_args_are_recorded(args) ? RAID_DEFAULT : raid->words.sync;
	array_believe_words(a);
	if (array_new_regions(t, a, args->err) || array_new_reads(a, args->err) || actions_new(a, args->err) ||
	    behind_new(a, args->err))
		return args->err->code;
	return a->on_disk ? metadata_new(a, args->err) : 0;
}

/* A single leg is equal to itself. */
void array_begin(struct array *a)
{
	bool equal = a->raid->begins == RAID_NOSYNC || array_legs(a, LEG_GOOD) < 2;
	uint64_t region;

	for (region = 0; equal && region < a->regions.n; region++)
		region_begins(&a->regions, region, true);
	a->actions.synchronous = equal ? RAID_ALL : 0;
	atomic_store(&a->differs, !equal);
	atomic_store(&a->begun, true);
}

/* From now on a later daemon must not carry out once more what the words order. */
void array_has_begun(struct array *a)
{
	atomic_store(&a->begun, true);
	if (array_has_orders(a))
		dm_saved_changed(a->target->table);
}

void array_free(struct array *a)
{
	if (!a)
		return;
	if (a->on_disk)
		metadata_free(&a->metadata);
	actions_free(a);
	behind_free(&a->behind);
	regions_free(&a->regions);
	free(a->reads);
	pthread_mutex_destroy(&a->lock);
}
