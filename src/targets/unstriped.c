/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unstriped: one stripe of a striped device as a device of its own. Its chunk c is chunk number c * <#stripes> + <stripe> of
 * <device>.
 */
#include "core/table/target.h"

struct unstriped {
	uint32_t n, chunk, stripe;	/* chunk in sectors */
	struct dm_at at;
};

/* How far CHUNKS chunks of the stripe reach into the striped device. */
static uint64_t unstriped_span(const struct unstriped *u, uint64_t chunks, struct dm_args *a)
{
	uint64_t span;

	if (__builtin_mul_overflow(chunks - 1, (uint64_t)u->n, &span) || __builtin_add_overflow(span, (uint64_t)u->stripe + 1, &span) ||
	    __builtin_mul_overflow(span, (uint64_t)u->chunk, &span)) {
		dm_args_fail(a, "no device has %u stripes of %llu chunks of %u sectors", u->n, (unsigned long long)chunks, u->chunk);
		return 0;
	}
	return span;
}

static int unstriped_ctr(struct dm_target *t, struct dm_args *a)
{
	struct unstriped *u = t->priv;

	u->n = (uint32_t)dm_arg_number(a, "<#stripes>", 1, UINT32_MAX);
	u->chunk = (uint32_t)dm_arg_sectors(a, "<chunk>", 1, UINT32_MAX);
	u->stripe = (uint32_t)dm_arg_number(a, "<stripe>", 0, u->n - 1);
	if (!dm_args_failed(a) && t->len % u->chunk)
		dm_args_fail(a, "%llu sectors are not a multiple of the chunk size %u", (unsigned long long)t->len, u->chunk);
	if (dm_args_failed(a))
		return dm_args_end(a);
	u->at = dm_arg_at(a, unstriped_span(u, t->len / u->chunk, a));
	t->chunk = u->chunk;
	return dm_args_end(a);
}

static int unstriped_map(const struct dm_target *t, struct dm_req *r)
{
	const struct unstriped *u = t->priv;
	uint64_t chunk = r->sector / u->chunk;

	return dm_remap(r, &u->at, (chunk * u->n + u->stripe) * u->chunk + r->sector % u->chunk);
}

static void unstriped_table(const struct dm_target *t, struct text *out)
{
	const struct unstriped *u = t->priv;

	text_printf(out, "%u %u %u ", u->n, u->chunk, u->stripe);
	dm_text_at(out, &u->at);
}

const struct dm_type dm_unstriped = {
	.name = "unstriped",
	.usage = "<#stripes> <chunk> <stripe> <device> <offset>",
	.about = "maps the line to one stripe (from 0 on) of a striped <device>",
	.version = { 1, 1, 0 },
	.size = sizeof(struct unstriped),
	.ctr = unstriped_ctr,
	.map = unstriped_map,
	.table = unstriped_table,
};
