/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/snapshot/format.h"

#define CHUNK 8u
#define EXCEPTIONS 20u

static uint8_t *chunk_of(unsigned disk, uint64_t chunk)
{
	return disk_bytes(disk) + chunk * CHUNK * 512;
}

/* A store with some chunks of the first part of the origin, in no order. */
static void store_format(void)
{
	struct snap_header h = { htole32(SNAP_MAGIC), htole32(1), htole32(SNAP_VERSION), htole32(CHUNK) };
	unsigned i;

	memset(disk_bytes(0), 'o', SAMPLE_SECTORS * 512);
	memset(disk_bytes(1), 0, 64 * CHUNK * 512);
	memcpy(chunk_of(1, 0), &h, sizeof(h));
	for (i = 0; i < EXCEPTIONS; i++) {
		struct snap_entry e = { htole64(i * 7 % EXCEPTIONS), htole64(i + 2) };

		memcpy(chunk_of(1, SNAP_FIRST_AREA) + i * sizeof(e), &e, sizeof(e));
		memset(chunk_of(1, i + 2), 's', CHUNK * 512);
	}
}

/* As on Linux, without discard_zeroes_cow there are no discards. */
static int no_discards(enum dm_op op, const uint8_t kept[512], uint8_t next[512])
{
	(void)kept;
	(void)next;
	return op == DM_DISCARD ? -EOPNOTSUPP : 0;
}

const struct sample sample_snapshot_merge = {
	.words = "disk:0 disk:1 P 8", .inactive = "disk:0 disk:1 P 0", .model = no_discards, .moves = true, .reads_first = true, .format = store_format,
};
