/* SPDX-License-Identifier: BSD-2-Clause */
/* See logged.h. */
#include "contract/logged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/read.h"

struct logged logged;

int logged_begin(void **state)
{
	(void)state;
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&logged.f, 2, AIO_AUTO);
	return 0;
}

int logged_end(void **state)
{
	(void)state;
	fixture_end(&logged.f);
	return 0;
}

void logged_make(const char *table)
{
	logged.d = make_device(&logged.f, "it", table);
	dm_open(logged.d);
}

void logged_gone(void)
{
	char why[ERR_TEXT];

	dm_close(logged.d);
	if (verb(&logged.f, DM_DO_REMOVE, "it", 0, why))
		fail_msg("%s", why);
}

int logged_io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count)
{
	static uint8_t data[64 * 512];

	memset(data, (int)sector, sizeof(data));
	return request(&logged.f, logged.d, (unsigned)sector % 2, op, flags, sector, count, op == DM_WRITE ? data : NULL);
}

int logged_mark(const char *text, char *why)
{
	char words[1200];
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "it", .message = words };
	int err;

	snprintf(words, sizeof(words), "mark %s", text);
	err = run(&logged.f, &c, why);
	dm_reply_free(&c.reply);
	return err;
}

/* The log that disk 1 holds, an entry a word: "w8+1 flush fua3+1 discard0+8 'text'". */
const char *logged_log(void)
{
	static char out[4096];
	struct wlog_entry entry;
	size_t n = 0;
	struct wlog *l;
	struct err e = ERR_INIT;
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(write(fd, disk_bytes(1), DISK_SECTORS * 512), DISK_SECTORS * 512);
	if (wlog_open(&l, fd, "the log", &e))
		return close(fd), "none";
	out[0] = 0;
	while (wlog_next(l, &entry, &e) > 0) {
		static const char *const kinds[] = { "w", "discard", "flush", "" };
		uint8_t byte = 0;

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s%s", n ? " " : "", entry.flags & WLOG_FUA ? "fua-" : "",
				      kinds[entry.kind]);
		if (entry.kind == WLOG_IS_MARK)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "'%s'", entry.mark);
		else if (entry.kind != WLOG_IS_FLUSH)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%u+%u", (unsigned)entry.sector, (unsigned)entry.count);
		if (entry.kind == WLOG_IS_WRITE)
			assert_int_equal(wlog_data(l, &entry, 0, &byte, 1, &e), 0);
		if (entry.kind == WLOG_IS_WRITE && byte)
			assert_int_equal(byte, entry.sector);
	}
	assert_int_equal(e.code, 0);
	wlog_close(l);
	close(fd);
	return out;
}

void logged_status_is(const char *want)
{
	char *now = rows(&logged.f, DM_DO_STATUS, "it", 0), whole[128];

	snprintf(whole, sizeof(whole), "0 64 log-writes %s\n", want);
	assert_string_equal(now, whole);
	free(now);
}
