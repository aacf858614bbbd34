/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the log of a mirror: see format.h. */
#include "targets/mirror/format.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

uint64_t mlog_bytes(uint64_t regions, uint32_t block)
{
	uint64_t bytes = MLOG_BITS + (regions + 31) / 32 * 4;

	return (bytes + block - 1) / block * block;
}

/* How many regions the log knows; or -EINVAL. */
static int mlog_known(const uint8_t *log, enum mirror_sync sync, uint64_t *known, struct err *e)
{
	struct mlog_header h;
	uint32_t version;

	memcpy(&h, log, sizeof(h));
	*known = 0;
	if (sync != MIRROR_DEFAULT || le32toh(h.magic) != MLOG_MAGIC)
		return 0;
	version = le32toh(h.version);
	if (version != 1 && version != MLOG_VERSION)
		return err_set(e, -EINVAL, "the log says that it is of version %u, and only versions 1 and %u are known", version, MLOG_VERSION);
	*known = le64toh(h.regions);
	return 0;
}

/* Bits FROM to TO (excluded). */
static void mlog_fill(uint8_t *log, uint64_t from, uint64_t to, bool clean)
{
	for (; from < to && from % 8; from++)
		mlog_set_clean(log, from, clean);
	if (from < to)
		memset(log + MLOG_BITS + from / 8, clean ? 0xff : 0, (to - from) / 8);
	for (from += from < to ? (to - from) / 8 * 8 : 0; from < to; from++)
		mlog_set_clean(log, from, clean);
}

int mlog_open(uint8_t *log, size_t bytes, uint64_t regions, enum mirror_sync sync, struct err *e)
{
	struct mlog_header h = { .magic = htole32(MLOG_MAGIC), .version = htole32(MLOG_VERSION), .regions = htole64(regions) };
	uint64_t known, end = (regions + 63) / 64 * 64;
	int err = mlog_known(log, sync, &known, e);

	if (MLOG_BITS + end / 8 > bytes)
		return err_set(e, -EINVAL, "the log has %zu bytes, which are too few for %llu regions", bytes, (unsigned long long)regions);
	if (known < regions)
		mlog_fill(log, known, regions, sync == MIRROR_NOSYNC);
	mlog_fill(log, regions, end, false);
	memcpy(log, &h, sizeof(h));
	return err;
}
