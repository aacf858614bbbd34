/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

static uint8_t origin_byte(unsigned i)
{
	return (uint8_t)(0x40 | i * 5 | i >> 10);
}

static void origin_format(void)
{
	unsigned i;

	for (i = 0; i < SAMPLE_SECTORS * 512; i++)
		disk_bytes(0)[i] = origin_byte(i);
}

/* What is written to a snapshot never changes its origin. */
static void origin_is_as_it_was(struct fixture *f)
{
	unsigned i;

	(void)f;
	for (i = 0; i < SAMPLE_SECTORS * 512; i++)
		assert_int_equal(disk_bytes(0)[i], origin_byte(i));
}

/* As on Linux, without discard_zeroes_cow there are no discards. */
static int no_discards(enum dm_op op, const uint8_t kept[512], uint8_t next[512])
{
	(void)kept;
	(void)next;
	return op == DM_DISCARD ? -EOPNOTSUPP : 0;
}

const struct sample sample_snapshot = {
	.words = "disk:0 disk:1 P 8", .inactive = "disk:0 disk:1 P 0", .model = no_discards, .reads_first = true, .format = origin_format, .crash = origin_is_as_it_was,
};
