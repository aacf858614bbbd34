/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linear: the line's sectors are a range of sectors of one device. The simplest mapping; logical volumes, partitions
 * and disk images are made of it.
 */
#include "core/table/target.h"

static int linear_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static int linear_map(const struct dm_target *t, struct dm_req *r)
{
	return dm_remap(r, t->priv, r->sector);
}

static void linear_table(const struct dm_target *t, struct text *out)
{
	dm_text_at(out, t->priv);
}

static void linear_measure(const struct dm_target *t, struct text *out)
{
	const struct dm_at *at = t->priv;

	text_add(out, ",device_name=");
	dm_text_store(out, at->store);
	text_printf(out, ",start=%llu;", (unsigned long long)at->offset);
}

const struct dm_type dm_linear = {
	.name = "linear",
	.usage = "<device> <offset>",
	.about = "maps the line to the sectors of <device> from <offset> on",
	.version = { 1, 4, 0 },
	.size = sizeof(struct dm_at),
	.ctr = linear_ctr,
	.map = linear_map,
	.table = linear_table,
	.measure = linear_measure,
};
