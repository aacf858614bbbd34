/* SPDX-License-Identifier: BSD-2-Clause */
/* See recorded.h. */
#include "support/recorded.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/path/req.h"
#include "targets/log_writes/format.h"

static void recorded_put(struct recorded *r, uint64_t at, const void *bytes, size_t n)
{
	assert_int_equal(pwrite(r->fd, bytes, n, (off_t)at), (ssize_t)n);
}

static void recorded_entry(struct recorded *r, uint64_t sector, uint64_t count, uint64_t flags, const char *mark)
{
	unsigned char bytes[DM_SECTOR] = { 0 };
	const struct wlog_disk_entry d = { htole64(sector), htole64(count), htole64(flags), htole64(strlen(mark)) };

	memcpy(bytes, &d, sizeof(d));
	memcpy(bytes + sizeof(d), mark, strlen(mark));
	recorded_put(r, r->at, bytes, sizeof(bytes));
	r->at += sizeof(bytes);
	r->entries++;
}

void recorded_begin(struct recorded *r)
{
	*r = (struct recorded){ .fd = memfd_create("log", MFD_CLOEXEC), .at = DM_SECTOR };
	assert_true(r->fd >= 0);
}

void recorded_write(struct recorded *r, uint64_t sector, uint64_t count, unsigned char fill, uint64_t flags)
{
	unsigned char bytes[DM_SECTOR];
	uint64_t i;

	recorded_entry(r, sector, count, flags, "");
	for (i = 0; i < count; i++) {
		memset(bytes, fill + (int)i, sizeof(bytes));
		recorded_put(r, r->at, bytes, sizeof(bytes));
		r->at += sizeof(bytes);
	}
}

void recorded_discard(struct recorded *r, uint64_t sector, uint64_t count)
{
	recorded_entry(r, sector, count, WLOG_DISCARD, "");
}

void recorded_flush(struct recorded *r)
{
	recorded_entry(r, 0, 0, WLOG_FLUSH, "");
}

void recorded_mark(struct recorded *r, const char *text)
{
	recorded_entry(r, 0, 0, WLOG_MARK, text);
}

void recorded_end(struct recorded *r, struct history *h)
{
	unsigned char bytes[DM_SECTOR] = { 0 };
	struct wlog_super s = { htole64(WLOG_MAGIC), htole64(WLOG_VERSION), 0, htole32(DM_SECTOR), 0 };
	struct err e = ERR_INIT;

	recorded_mark(r, WLOG_END_MARK);
	s.entries = htole64(r->entries);
	memcpy(bytes, &s, sizeof(s));
	recorded_put(r, 0, bytes, sizeof(bytes));
	if (history_read(h, r->fd, "log", RECORDED_SIZE, RECORDED_UNIT, &e))
		fail_msg("%s", e.text);
	close(r->fd);
}
