/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/log_writes/read.h"

/* What test_crash.c writes begins with the number of its sector; what was lost is zeros, on a fresh disk. */
static bool is_data_of(const uint8_t data[512], uint64_t sector)
{
	static const uint8_t zeros[512];

	return !memcmp(data, &sector, sizeof(sector)) || !memcmp(data, zeros, sizeof(zeros));
}

static void check_entry(const struct wlog *l, const struct wlog_entry *entry)
{
	uint8_t data[512];
	struct err e;
	uint64_t i;

	assert_true(entry->sector + entry->count <= SAMPLE_SECTORS);
	for (i = 0; entry->kind == WLOG_IS_WRITE && i < entry->count; i++) {
		assert_int_equal(wlog_data(l, entry, i * 512, data, 512, &e), 0);
		assert_true(is_data_of(data, entry->sector + i));
	}
}

/*
 * The log is not made durable at each entry, so its end may be lost, and the reader says so. But what it takes for an entry is
 * one, with its own data; and a line that has logged nothing yet has not touched the log of the run before.
 */
static void log_has_no_wrong_data(struct fixture *f)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	struct wlog_entry entry;
	struct wlog *l;

	(void)f;
	assert_int_equal(write(fd, disk_bytes(1), DISK_SECTORS * 512), DISK_SECTORS * 512);
	if (!wlog_open(&l, fd, "disk:1", &e)) {
		while (wlog_next(l, &entry, &e) > 0)
			check_entry(l, &entry);
		wlog_close(l);
	}
	close(fd);
	assert_true(!e.code || strstr(e.text, "log disk:1: ") == e.text);
}

const struct sample sample_log_writes = { .words = "disk:0 disk:1", .crash = log_has_no_wrong_data };
