/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verity: a read-only device whose blocks are verified with a tree of hashes when they are read. Whoever knows the root hash knows
 * that all of the data is what it was when the tree was made: any block that has changed since fails to be read, or is corrected.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/path/fault.h"
#include "targets/verity/verity.h"

static int verity_map(const struct dm_target *t, struct dm_req *r)
{
	const struct verity *v = t->priv;

	if (atomic_load_explicit(&v->ended, memory_order_relaxed)) {
		dm_why(r->io, "a block of it was corrupt or could not be read, and its table says that this ends the device");
		return -EIO;
	}
	if (r->op == DM_READ)
		return verity_read(v, r);
	if (r->op != DM_EXTENT)
		return -EROFS;
	r->flags &= ~(uint32_t)(DM_HOLE | DM_ZERO);	/* what the data device says of itself is not verified */
	return DM_DONE;
}

static void verity_status(const struct dm_target *t, struct text *out)
{
	const struct verity *v = t->priv;

	text_add(out, atomic_load(&v->is_corrupt) ? "C" : "V");
}

static void verity_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct verity *v = t->priv;

	l->logical = l->physical = l->io_min = v->block_size;
}

static void verity_dtr(struct dm_target *t)
{
	struct verity *v = t->priv;

	clerk_free(v->clerk);
	reserve_free(v->reads);
	hashes_free(v->cache);
	fec_end(&v->fec);
	free(v->spare);
	free(v->checked);
}

const struct dm_type dm_verity = {
	.name = "verity",
	.usage = "<version> <device> <hash device> <data block size> <hash block size> <data blocks> <hash start> <algorithm> <root hash> "
		 "<salt> [<number> <option>...]",
	.about = "verifies what is read from <device> with the hash tree on <hash device>",
	.version = { 1, 10, 0 },
	.flags = DM_TARGET_SINGLETON | DM_TARGET_IMMUTABLE,
	.size = sizeof(struct verity),
	.ctr = verity_words,
	.dtr = verity_dtr,
	.map = verity_map,
	.child = verity_child,
	.children = 1,
	.table = verity_table,
	.measure = verity_measure,
	.status = verity_status,
	.hints = verity_hints,
};
