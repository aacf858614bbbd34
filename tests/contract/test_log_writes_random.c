/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log-writes: whatever comes at once, on two io threads, with flushes, FUA, suspends, reloads and marks among it, a replay of the
 * log from its beginning to its end gives the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "support/world.h"
#include "targets/log_writes/read.h"

#define TABLE "0 64 log-writes disk:0 disk:1"

enum { SLOTS = 4, SLOT = 16, STEPS = 40 };	/* so many requests at a time, each within its own sectors */

static struct fixture f;
static struct dm_device *d;
static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void slot_start(struct job *j, unsigned slot, uint8_t *data)
{
	unsigned kind = next_random(8), count = 1 + next_random(3);
	uint64_t sector = slot * SLOT + next_random(SLOT - count);
	enum dm_op op = kind == 0 ? DM_FLUSH : kind == 1 ? DM_ZEROES : DM_WRITE;

	memset(data, 1 + (int)next_random(255), count * 512);
	job_start(&f, j, d, next_random(2), op, op != DM_FLUSH && kind < 4 ? DM_FUA : 0, op == DM_FLUSH ? 0 : sector,
		  op == DM_FLUSH ? 0 : count, op == DM_WRITE ? data : NULL);
}

static void step_all(unsigned step)
{
	static uint8_t data[SLOTS][3 * 512];
	struct dm_cmd mark = { .verb = DM_DO_MESSAGE, .name = "it", .message = (char[]){ "mark m" } };
	struct job jobs[SLOTS];
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		slot_start(&jobs[i], i, data[i]);
	if (step % 16 == 7)
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", 0, NULL) || verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	if (step % 16 == 15)
		assert_int_equal(reload(&f, "it", TABLE, NULL) || verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	if (step % 8 == 3)
		assert_int_equal(run(&f, &mark, NULL), 0);
}

/* What the log makes of a disk of zeros. */
static void replay(uint8_t image[64 * 512])
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct wlog_entry entry;
	struct wlog *l;
	struct err e = ERR_INIT;

	memset(image, 0, 64 * 512);
	assert_int_equal(write(fd, disk_bytes(1), DISK_SECTORS * 512), DISK_SECTORS * 512);
	if (wlog_open(&l, fd, "the log", &e))
		fail_msg("%s", e.text);
	while (wlog_next(l, &entry, &e) > 0)
		if (entry.kind == WLOG_IS_WRITE)
			assert_int_equal(wlog_data(l, &entry, 0, image + entry.sector * 512, entry.count * 512, &e), 0);
	assert_int_equal(e.code, 0);
	wlog_close(l);
	close(fd);
}

static void the_log_gives_the_disk_whatever_comes_at_once(void **state)
{
	static uint8_t image[64 * 512];
	unsigned step, round;
	char *now;

	(void)state;
	for (round = 1; round <= 8; round++) {
		seed = round;
		disk_reset();
		fixture_begin(&f, 2, AIO_AUTO);
		d = make_device(&f, "it", TABLE);
		dm_open(d);
		for (step = 0; step < STEPS; step++)
			step_all(step);
		now = rows(&f, DM_DO_STATUS, "it", 0);
		assert_null(strstr(now, "logging_disabled"));
		free(now);
		dm_close(d);
		assert_int_equal(verb(&f, DM_DO_REMOVE, "it", 0, NULL), 0);
		replay(image);
		assert_memory_equal(image, disk_bytes(0), sizeof(image));
		fixture_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_gives_the_disk_whatever_comes_at_once),
	};

	fixture_store = &disk_type;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
