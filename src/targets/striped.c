/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * striped: the line is distributed in chunks over n devices in turn. Sector s is in chunk c = s / chunk, which is on
 * device c % n, in its chunk c / n. A device that has failed a request is D in `status` instead of A; its first 14
 * failures raise events for `wait`.
 */
#include <stdatomic.h>

#include "core/table/target.h"

#define STRIPED_EVENTS 15	/* from this failure of a leg on, no more events are raised; as on Linux */

struct striped {
	uint32_t n, chunk;		/* chunk in sectors */
	_Atomic uint32_t *failures;	/* of each leg */
	struct dm_at legs[];		/* n of them, in the table's arena */
};

/* Linux requires whole chunks on every stripe. */
static int striped_lengths(const struct dm_target *t, struct dm_args *a, uint32_t n, uint32_t chunk)
{
	if (t->len % n)
		return dm_args_fail(a, "%llu sectors cannot be divided evenly among %u stripes",
				    (unsigned long long)t->len, n);
	if (t->len / n % chunk)
		return dm_args_fail(a, "the %llu sectors of each stripe are not a multiple of the chunk size %u",
				    (unsigned long long)(t->len / n), chunk);
	return 0;
}

static int striped_ctr(struct dm_target *t, struct dm_args *a)
{
	uint32_t n = (uint32_t)dm_arg_number(a, "<#stripes>", 1, UINT16_MAX);
	uint32_t chunk = (uint32_t)dm_arg_sectors(a, "<chunk>", 1, UINT32_MAX);
	struct striped *s;
	uint32_t i;

	if (dm_args_failed(a) || striped_lengths(t, a, n, chunk))
		return dm_args_end(a);
	if (dm_args_left(a) != 2 * n)
		return dm_args_fail(a, "%u stripes need %u words <device> <offset> after it, but there are %zu", n,
				    2 * n, dm_args_left(a));
	s = dm_args_alloc(a, sizeof(*s) + n * sizeof(s->legs[0]));
	if (!s)
		return dm_args_end(a);
	s->failures = dm_args_alloc(a, n * sizeof(*s->failures));
	s->n = n;
	s->chunk = chunk;
	for (i = 0; i < n; i++)
		s->legs[i] = dm_arg_at(a, t->len / n);
	t->priv = s;
	t->chunk = chunk;
	t->parts = n;
	return dm_args_end(a);
}

/* The first sector of leg LEG that has line sector SECTOR or a later one. */
static uint64_t striped_from(const struct striped *s, uint64_t sector, uint32_t leg)
{
	uint64_t chunk = sector / s->chunk, row = chunk / s->n;
	uint32_t here = (uint32_t)(chunk % s->n);

	if (leg == here)
		return row * s->chunk + sector % s->chunk;
	return (leg < here ? row + 1 : row) * s->chunk;
}

/* A long discard is one range of sectors on each leg. */
static int striped_map_part(const struct striped *s, struct dm_req *r)
{
	uint64_t from = striped_from(s, r->sector, r->part);
	uint64_t to = striped_from(s, r->sector + r->count, r->part);

	if (from == to)
		return DM_DONE;
	r->count = to - from;
	return dm_remap(r, &s->legs[r->part], from);
}

static int striped_map(const struct dm_target *t, struct dm_req *r)
{
	const struct striped *s = t->priv;
	uint64_t chunk = r->sector / s->chunk;

	if (dm_op_is_range(r->op))
		return striped_map_part(s, r);
	return dm_remap(r, &s->legs[chunk % s->n], chunk / s->n * s->chunk + r->sector % s->chunk);
}

/* A whole chunk is on one device; a whole row keeps all devices busy. */
static void striped_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct striped *s = t->priv;
	uint64_t chunk = (uint64_t)s->chunk * DM_SECTOR;

	if (chunk * s->n > UINT32_MAX)
		return;
	l->chunk = s->chunk;
	l->io_min = (uint32_t)chunk;
	l->io_opt = (uint32_t)chunk * s->n;
}

static void striped_table(const struct dm_target *t, struct text *out)
{
	const struct striped *s = t->priv;
	uint32_t i;

	text_printf(out, "%u %u", s->n, s->chunk);
	for (i = 0; i < s->n; i++) {
		text_add(out, " ");
		dm_text_at(out, &s->legs[i]);
	}
}

/* Counts for all legs on that device, as on Linux: it is not known which of them was used. */
static bool striped_failed(const struct dm_target *t, const void *end)
{
	const struct striped *s = t->priv;
	bool event = false;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (dm_store_end(s->legs[i].store) == end && atomic_fetch_add(&s->failures[i], 1) + 1 < STRIPED_EVENTS)
			event = true;
	return event;
}

/* As on Linux: the devices, then one group of states, A for alive, D for a leg that has failed. */
static void striped_status(const struct dm_target *t, struct text *out)
{
	const struct striped *s = t->priv;
	uint32_t i;

	text_printf(out, "%u ", s->n);
	for (i = 0; i < s->n; i++) {
		dm_text_store(out, s->legs[i].store);
		text_add(out, " ");
	}
	text_add(out, "1 ");
	for (i = 0; i < s->n; i++)
		text_add(out, atomic_load(&s->failures[i]) ? "D" : "A");
}

static void striped_measure(const struct dm_target *t, struct text *out)
{
	const struct striped *s = t->priv;
	uint32_t i;

	text_printf(out, ",stripes=%u,chunk_size=%u", s->n, s->chunk);
	for (i = 0; i < s->n; i++) {
		text_printf(out, ",stripe_%u_device_name=", i);
		dm_text_store(out, s->legs[i].store);
		text_printf(out, ",stripe_%u_physical_start=%llu,stripe_%u_status=%c", i,
			    (unsigned long long)s->legs[i].offset, i, atomic_load(&s->failures[i]) ? 'D' : 'A');
	}
	text_add(out, ";");
}

const struct dm_type dm_striped = {
	.name = "striped",
	.usage = "<#stripes> <chunk> [<device> <offset>]...",
	.about = "distributes the line in chunks of <chunk> sectors over the <device>s in turn",
	.version = { 1, 6, 0 },
	.ctr = striped_ctr,
	.map = striped_map,
	.table = striped_table,
	.hints = striped_hints,
	.status = striped_status,
	.measure = striped_measure,
	.failed = striped_failed,
};
