/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a line of raid, and how `table` prints them: as on Linux. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/world.h"
#include "targets/raid/array.h"

/* What a number may be, for whom, and what it is called. */
static const struct raid_number_word { const char *name; uint64_t max; bool in_raid0; } numbers[RAID_NUMBERS] = {
	[RAID_SLEEP] = { "daemon_sleep", INT_MAX, false },
	[RAID_MIN_RATE] = { "min_recovery_rate", INT_MAX, false },
	[RAID_MAX_RATE] = { "max_recovery_rate", INT_MAX, false },
	[RAID_BEHIND] = { "max_write_behind", 32767, false },
	[RAID_REGION] = { "region_size", INT_MAX, false },
	[RAID_OFFSET] = { "data_offset", 0, true },
};

/* Linux has them, and they have no place in raid0 and raid1. */
static const char *const others[] = {
	"stripe_cache", "raid10_copies", "raid10_format", "raid10_use_near_sets", "delta_disks", "journal_dev", "journal_mode",
};

/* Legs by number, before it is known how many there are. */
struct leg_bits { uint64_t of[4]; unsigned n; };

static bool bits_have(const struct leg_bits *b, unsigned leg)
{
	return b->of[leg / 64] >> leg % 64 & 1;
}

static bool bits_set(struct leg_bits *b, unsigned leg)
{
	bool had = bits_have(b, leg);

	b->of[leg / 64] |= UINT64_C(1) << leg % 64;
	b->n++;
	return !had;
}

struct parse {
	struct dm_args *a;
	struct raid_words *w;
	struct leg_bits rebuild, write_mostly;
};

/* --- the level --------------------------------------------------------------------------------------------------------------- */

static bool is_other_level(const char *word)
{
	static const char *const levels[] = {
		"raid10_far", "raid10_offset", "raid10_near", "raid10", "raid4", "raid5_n", "raid5_ls", "raid5_rs", "raid5_la", "raid5_ra",
		"raid6_zr", "raid6_nr", "raid6_nc", "raid6_n_6", "raid6_ls_6", "raid6_rs_6", "raid6_la_6", "raid6_ra_6",
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcasecmp(word, levels[i]))
			return true;
	return false;
}

static void words_level(struct parse *p)
{
	const char *word = dm_arg_word(p->a, "<raid type>");

	p->w->level = !strcasecmp(word, "raid1");
	if (dm_args_failed(p->a) || p->w->level || !strcasecmp(word, "raid0"))
		return;
	if (is_other_level(word))
		dm_args_fail(p->a, "dmuse has no %.40s: raid0 and raid1 are what there is", word);
	else
		dm_args_fail(p->a, "'%.80s' is no type of raid: raid0 or raid1", word);
}

static void words_chunk(struct parse *p)
{
	uint64_t chunk = dm_arg_number(p->a, "<chunk size>", 0, INT_MAX);

	if (p->w->level || dm_args_failed(p->a))
		return;		/* raid1 has none, whatever it says, as on Linux */
	p->w->chunk = (uint32_t)chunk;
	if (chunk < 8 || chunk & (chunk - 1))
		dm_args_fail(p->a, "a chunk of %llu sectors: it has to be a power of two, and 8 or more", (unsigned long long)chunk);
}

/* --- parameters -------------------------------------------------------------------------------------------------------------- */

static void words_sync(struct parse *p, const char *word, enum raid_sync sync)
{
	if (p->w->sync != RAID_DEFAULT)
		dm_args_fail(p->a, "%s, after %s: one of them, once", word, p->w->sync == RAID_SYNC ? "sync" : "nosync");
	p->w->sync = sync;
}

static void words_leg(struct parse *p, const char *name, struct leg_bits *legs, bool once)
{
	unsigned leg = (unsigned)dm_arg_number(p->a, name, 0, RAID0_LEGS - 1);

	if (!dm_args_failed(p->a) && !bits_set(legs, leg) && once)
		dm_args_fail(p->a, "leg %u twice", leg);
}

static void words_number(struct parse *p, enum raid_number n)
{
	if (raid_is_given(p->w, n))
		dm_args_fail(p->a, "%s twice", numbers[n].name);
	p->w->given |= 1u << n;
	p->w->numbers[n] = dm_arg_number(p->a, numbers[n].name, 0, numbers[n].max);
	if (n == RAID_BEHIND && !dm_args_are_recorded(p->a))
		p->w->numbers[n] /= 2;		/* `table` prints KiB, as on Linux */
}

static void words_unknown(struct parse *p, const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcasecmp(word, others[i]))
			dm_args_fail(p->a, "raid%u has no %s here", p->w->level, others[i]);
	dm_args_fail(p->a, "'%.80s' is no parameter of raid%u", word, p->w->level);
}

/* One parameter: how many words it took. */
static unsigned words_parameter(struct parse *p)
{
	const char *word = dm_arg_word(p->a, "[<parameter>]");
	unsigned n;

	for (n = 0; n < RAID_NUMBERS; n++)
		if (!strcasecmp(word, numbers[n].name) && (p->w->level || numbers[n].in_raid0)) {
			words_number(p, n);
			return 2;
		}
	if (!p->w->level)
		words_unknown(p, word);
	else if (!strcasecmp(word, "sync"))
		words_sync(p, word, RAID_SYNC);
	else if (!strcasecmp(word, "nosync"))
		words_sync(p, word, RAID_NOSYNC);
	else if (!strcasecmp(word, "rebuild"))
		return words_leg(p, "rebuild", &p->rebuild, true), 2;
	else if (!strcasecmp(word, "write_mostly"))
		return words_leg(p, "write_mostly", &p->write_mostly, false), 2;
	else
		words_unknown(p, word);
	return 1;
}

static void words_parameters(struct parse *p)
{
	uint64_t n = dm_arg_number(p->a, "<#parameters>", 1, 1024), i;

	words_chunk(p);
	i = 1;
	while (i < n && !dm_args_failed(p->a))
		i += words_parameter(p);
	if (!dm_args_failed(p->a) && i != n)
		dm_args_fail(p->a, "<#parameters> is %llu, and the last of them needs one word more", (unsigned long long)n);
	if (p->w->sync != RAID_DEFAULT && p->rebuild.n)
		dm_args_fail(p->a, "rebuild does not go with sync or nosync");
	if (p->w->numbers[RAID_MAX_RATE] && p->w->numbers[RAID_MIN_RATE] > p->w->numbers[RAID_MAX_RATE])
		dm_args_fail(p->a, "min_recovery_rate is more than max_recovery_rate");
}

/* --- regions ----------------------------------------------------------------------------------------------------------------- */

#define REGION 8192u			/* sectors, if nothing else is said ... */
#define REGIONS (1u << 21)		/* ... and there are not more than so many, unless there is a bitmap, and ... */
#define REGION_MOST (1u << 22)		/* ... they would be larger than that */

static void words_region(const struct dm_target *t, struct parse *p)
{
	uint64_t least = t->len / REGIONS, size = p->w->numbers[RAID_REGION];

	if (!p->w->level || dm_args_failed(p->a))
		return;
	if (!size)
		for (size = REGION; size < least; size *= 2)
			;
	else if (size > t->len || size < least || size & (size - 1))
		dm_args_fail(p->a, "a region of %llu sectors: it has to be a power of two, from %llu to the %llu sectors of the line",
			     (unsigned long long)size, (unsigned long long)least, (unsigned long long)t->len);
	p->w->numbers[RAID_REGION] = size;
}

/* --- legs -------------------------------------------------------------------------------------------------------------------- */

static void words_leg_devices(struct parse *p, struct raid_leg *l, unsigned i, uint64_t sectors)
{
	if (!dm_arg_is(p->a, "-"))
		l->meta = dm_arg_device(p->a, "<metadata device>", DM_WHOLE);
	if (!dm_arg_is(p->a, "-"))
		l->data = dm_arg_device(p->a, "<device>", sectors);
	else if (l->meta.store)
		dm_args_fail(p->a, "leg %u has a metadata device, and no device for data", i);
	else if (bits_have(&p->rebuild, i))
		dm_args_fail(p->a, "leg %u is to be made anew, and has no device", i);
	l->rebuild = bits_have(&p->rebuild, i);
	l->write_mostly = bits_have(&p->write_mostly, i);
}

static void check_leg_numbers(struct parse *p, unsigned n)
{
	unsigned i;

	for (i = n; i < RAID0_LEGS; i++)
		if (bits_have(&p->rebuild, i) || bits_have(&p->write_mostly, i))
			dm_args_fail(p->a, "there is no leg %u: the first one is 0, and there are %u", i, n);
	if (p->write_mostly.n >= n)
		dm_args_fail(p->a, "all legs are write_mostly: one has to be left to be read");
}

static void words_legs(const struct dm_target *t, struct raid *raid, struct parse *p)
{
	unsigned n = (unsigned)dm_arg_number(p->a, "<#legs>", 1, p->w->level ? RAID1_LEGS : RAID0_LEGS), there = 0, i;

	if (dm_args_failed(p->a))
		return;
	check_leg_numbers(p, n);
	if (!p->w->level && t->len % n)
		dm_args_fail(p->a, "%llu sectors cannot be divided evenly among %u legs", (unsigned long long)t->len, n);
	else if (!p->w->level && t->len / n % p->w->chunk)
		dm_args_fail(p->a, "the %llu sectors of each leg are not a multiple of the chunk size %u", (unsigned long long)(t->len / n),
			     p->w->chunk);
	raid->legs = dm_args_failed(p->a) ? NULL : dm_args_alloc(p->a, n * sizeof(*raid->legs));
	if (!raid->legs)
		return;
	raid->n = n;
	for (i = 0; i < n; i++) {
		words_leg_devices(p, &raid->legs[i], i, p->w->level ? t->len : t->len / n);
		there += raid->legs[i].data.store && !raid->legs[i].rebuild;
	}
	if (!dm_args_failed(p->a) && there < (p->w->level ? 1 : n))
		dm_args_fail(p->a, p->w->level ? "no leg is there that has the data" : "raid0 needs all of its legs");
}

/* Linux's bitmap has the bytes of a region in 32 bits. */
static void words_bitmap(struct raid *raid, struct parse *p)
{
	uint64_t *region = &p->w->numbers[RAID_REGION];
	bool has = false;
	unsigned i;

	for (i = 0; i < raid->n && !dm_args_failed(p->a); i++)
		has |= raid->legs[i].meta.store != NULL;
	if (!has || !p->w->level || *region <= REGION_MOST)
		return;
	if (raid_is_given(p->w, RAID_REGION))
		dm_args_fail(p->a, "a region of %llu sectors: with metadata devices %u is the most", (unsigned long long)*region, REGION_MOST);
	*region = REGION_MOST;
}

/* --- what the words must not say together ------------------------------------------------------------------------------------ */

static const struct dm_at *place(const struct raid *raid, unsigned i)
{
	return i % 2 ? &raid->legs[i / 2].meta : &raid->legs[i / 2].data;
}

static void check_places(const struct raid *raid, struct dm_args *a)
{
	unsigned i, j;

	for (i = 0; i < 2 * raid->n; i++)
		for (j = 0; j < i && !dm_args_failed(a); j++)
			if (place(raid, i)->store && place(raid, j)->store &&
			    dm_store_end(place(raid, i)->store) == dm_store_end(place(raid, j)->store))
				dm_args_fail(a, "'%.200s' is used twice, for legs %u and %u: each has to be a place of its own",
					     place(raid, i)->store->name, j / 2, i / 2);
	if (raid->words.level && raid->words.numbers[RAID_REGION] * DM_SECTOR < a->block)
		dm_args_fail(a, "a region of %llu sectors is less than a block of the devices (%u bytes)",
			     (unsigned long long)raid->words.numbers[RAID_REGION], a->block);
}

int raid_ctr(struct dm_target *t, struct dm_args *a)
{
	struct raid *raid = t->priv;
	struct parse p = { .a = a, .w = &raid->words };

	raid->world = dm_args_world(a);
	words_level(&p);
	words_parameters(&p);
	words_region(t, &p);
	words_legs(t, raid, &p);
	words_bitmap(raid, &p);
	if (dm_args_rest_ignored(a))		/* as on Linux */
		return a->err->code;
	t->chunk = p.w->level ? (uint32_t)p.w->numbers[RAID_REGION] : p.w->chunk;
	t->parts = p.w->level ? 0 : raid->n;
	if (!dm_args_may_reserve(a))
		return 0;
	check_places(raid, a);
	if (dm_args_failed(a))
		return a->err->code;
	return p.w->level ? array_new(t, raid, a) : 0;
}

/* --- what is printed ---------------------------------------------------------------------------------------------------------- */

static unsigned parameter_count(const struct raid *raid)
{
	unsigned n = 1 + (raid->words.sync != RAID_DEFAULT) + 2 * (unsigned)__builtin_popcount(raid->words.given), i;

	for (i = 0; i < raid->n; i++)
		n += 2u * raid->legs[i].rebuild + 2u * raid->legs[i].write_mostly;
	return n;
}

static void table_number(const struct raid_words *w, enum raid_number n, struct text *out)
{
	if (raid_is_given(w, n))
		text_printf(out, " %s %llu", numbers[n].name, (unsigned long long)w->numbers[n]);
}

/* The order is Linux's. */
static void table_parameters(const struct raid *raid, struct text *out)
{
	static const char *const sync[] = { [RAID_DEFAULT] = "", [RAID_SYNC] = " sync", [RAID_NOSYNC] = " nosync" };
	const struct raid_words *w = &raid->words;
	unsigned i;

	text_add(out, sync[w->sync]);
	for (i = 0; i < raid->n; i++)
		if (raid->legs[i].rebuild)
			text_printf(out, " rebuild %u", i);
	table_number(w, RAID_SLEEP, out);
	table_number(w, RAID_MIN_RATE, out);
	table_number(w, RAID_MAX_RATE, out);
	for (i = 0; i < raid->n; i++)
		if (raid->legs[i].write_mostly)
			text_printf(out, " write_mostly %u", i);
	table_number(w, RAID_BEHIND, out);
	table_number(w, RAID_REGION, out);
	table_number(w, RAID_OFFSET, out);
}

static void table_device(const struct dm_at *at, struct text *out)
{
	text_add(out, " ");
	if (at->store)
		dm_text_store(out, at->store);
	else
		text_add(out, "-");
}

void raid_table(const struct dm_target *t, struct text *out)
{
	const struct raid *raid = t->priv;
	unsigned i;

	text_printf(out, "raid%u %u %u", raid->words.level, parameter_count(raid), raid->words.chunk);
	table_parameters(raid, out);
	text_printf(out, " %u", raid->n);
	for (i = 0; i < raid->n; i++) {
		table_device(&raid->legs[i].meta, out);
		table_device(&raid->legs[i].data, out);
	}
}
