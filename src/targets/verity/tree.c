/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash tree: see tree.h. */
#include "targets/verity/tree.h"

#include <errno.h>
#include <string.h>

static uint32_t log2_of(uint32_t n)
{
	return 31 - (uint32_t)__builtin_clz(n);
}

/* How many blocks LEVEL has. */
static uint64_t level_blocks(const struct tree *t, uint32_t level)
{
	return tree_shift(t->data_blocks - 1, t->fan_bits * (level + 1)) + 1;
}

int tree_shape(struct tree *t, uint64_t hash_start, struct err *e)
{
	uint32_t i;

	if (t->block_size < 2 * t->digest.size)
		return err_set(e, -EINVAL, "a hash block of %u bytes has no room for two digests of %u", t->block_size, t->digest.size);
	t->fan_bits = log2_of(t->block_size / t->digest.size);
	t->step = t->version ? t->block_size >> t->fan_bits : t->digest.size;
	for (t->levels = 0; t->fan_bits * t->levels < 64 && (t->data_blocks - 1) >> (t->fan_bits * t->levels); t->levels++)
		;
	t->start = t->end = hash_start;
	for (i = t->levels; i--; t->end += level_blocks(t, i)) {
		t->first[i] = t->end;
		if (level_blocks(t, i) > UINT64_MAX - t->end)
			return err_set(e, -EINVAL, "a hash tree for %llu blocks does not fit behind block %llu",
				       (unsigned long long)t->data_blocks, (unsigned long long)hash_start);
	}
	return 0;
}

void tree_digest(const struct tree *t, uint8_t *out, const void *block, size_t len)
{
	struct digest_part parts[2] = { { t->salt, t->salt_len }, { block, len } };

	if (!t->version)
		parts[1] = parts[0], parts[0] = (struct digest_part){ block, len };
	digest_of(&t->digest, out, parts, 2);
}
