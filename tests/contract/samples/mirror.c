/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/mirror/format.h"

#define REGION 16u
#define LEG_0 (16 * 512u)
#define LEG_1 (32 * 512u)

/*
 * Whenever the power is cut, the regions whose bit says clean are equal on both legs. (The new world has read the log, and may
 * have copied regions since; it has set no bit before that was durable.)
 */
static void clean_regions_are_equal(struct fixture *f)
{
	unsigned region;

	(void)f;
	for (region = 0; region < SAMPLE_SECTORS / REGION; region++)
		if (mlog_is_clean(disk_bytes(2), region))
			assert_memory_equal(disk_bytes(0) + LEG_0 + region * REGION * 512, disk_bytes(1) + LEG_1 + region * REGION * 512,
					    REGION * 512);
}

const struct sample sample_mirror = {
	.words = "disk 2 disk:2 16 2 disk:0 16 disk:1 32", .crash = clean_regions_are_equal, .does_io = true,
};
