/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/raid/format.h"

#define REGION 16u

/*
 * Whenever the power is cut, the regions that no bitmap has marked are equal on both legs. (The new world has read the bitmaps, and
 * may have copied regions since; it has unmarked none before that was durable.)
 */
static void regions_without_a_mark_are_equal(struct fixture *f)
{
	const uint8_t *bits[2] = { disk_bytes(0) + RBM_AT, disk_bytes(2) + RBM_AT };
	unsigned region;

	(void)f;
	for (region = 0; region < SAMPLE_SECTORS / REGION; region++)
		if (!raid_bit(bits[0], region) && !raid_bit(bits[1], region))
			assert_memory_equal(disk_bytes(1) + region * REGION * 512, disk_bytes(3) + region * REGION * 512, REGION * 512);
}

const struct sample sample_raid = {
	.words = "raid1 3 0 region_size 16 2 disk:0 disk:1 disk:2 disk:3", .crash = regions_without_a_mark_are_equal, .does_io = true,
	.reads_first = true,
};
