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
	uint8_t bits[2][512], data[2][REGION * 512];
	unsigned region, i;

	(void)f;
	for (i = 0; i < 2; i++)
		disk_look(2 * i, RBM_AT, bits[i], sizeof(bits[i]));
	for (region = 0; region < SAMPLE_SECTORS / REGION; region++)
		if (!raid_bit(bits[0], region) && !raid_bit(bits[1], region)) {
			for (i = 0; i < 2; i++)
				disk_look(2 * i + 1, region * sizeof(data[i]), data[i], sizeof(data[i]));
			assert_memory_equal(data[0], data[1], sizeof(data[0]));
		}
}

const struct sample sample_raid = {
	.words = "raid1 3 0 region_size 16 2 disk:0 disk:1 disk:2 disk:3", .crash = regions_without_a_mark_are_equal, .does_io = true,
	.reads_first = true,
};
