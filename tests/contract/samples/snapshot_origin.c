/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

static uint8_t origin_byte(unsigned i)
{
	return (uint8_t)(0x80 | i * 3 | i >> 9);
}

static void origin_format(void)
{
	unsigned i;

	for (i = 0; i < SAMPLE_SECTORS * 512; i++)
		disk_bytes(0)[i] = origin_byte(i);
}

/* Two snapshots, with chunks of different sizes. */
static const struct sample_other snapshots[] = {
	{ "small", "0 960 snapshot disk:0 disk:1 PO 8" }, { "large", "0 960 snapshot disk:0 disk:2 P 32" }, { NULL, NULL },
};

static void shows_what_there_was(struct fixture *f, const char *name)
{
	static uint8_t data[SAMPLE_SECTORS * 512];
	struct dm_device *d = dm_find_name(f->world, name);
	unsigned i;

	dm_open(d);
	assert_int_equal(request(f, d, 0, DM_READ, 0, 0, SAMPLE_SECTORS, data), 0);
	dm_close(d);
	for (i = 0; i < sizeof(data); i++)
		if (data[i] != origin_byte(i))
			fail_msg("%s shows another byte %u than its origin had", name, i);
}

/* Whenever the power is cut, each snapshot is whole. */
static void snapshots_are_whole(struct fixture *f)
{
	shows_what_there_was(f, "small");
	shows_what_there_was(f, "large");
}

/* As on Linux, without discard_zeroes_cow there are no discards. */
static int no_discards(enum dm_op op, const uint8_t kept[512], uint8_t next[512])
{
	(void)kept;
	(void)next;
	return op == DM_DISCARD ? -EOPNOTSUPP : 0;
}

const struct sample sample_snapshot_origin = {
	.words = "disk:0", .model = no_discards, .format = origin_format, .others = snapshots, .crash = snapshots_are_whole,
};
