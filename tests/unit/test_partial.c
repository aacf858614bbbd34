/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of byte ranges (fronts/fuse/partial.c) compared with a plain array of bytes: one after another, and many at
 * once that share blocks. The device is on a file, so writes complete later than reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/partial.h"
#include "support/temp.h"
#include "support/world.h"

#define SIZE (256u << 10)	/* bytes of the device */
#define MANY 400

static struct fixture f;
static struct dm_device *device;
static struct partial_disk disk;
static char path[TEMP_PATH];
static uint8_t model[SIZE];
static unsigned seed = 20;

static unsigned random_below(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static int begin(void **state)
{
	char table[100];
	int fd = mkstemp(temp_template(path, "partial"));

	(void)state;
	if (fd < 0 || ftruncate(fd, SIZE))
		return -1;
	close(fd);
	fixture_begin(&f, 1, AIO_AUTO);
	snprintf(table, sizeof(table), "0 %u linear %s 0", SIZE / DM_SECTOR, path);
	if (create(&f, "d", table, NULL))
		return -1;
	device = dm_find_name(f.world, "d");
	dm_open(device);
	partial_disk_init(&disk, &f.world->io[0], device);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(device);
	fixture_end(&f);
	return unlink(path);
}

/* Some writes, sent together in the order of the array. */
struct batch {
	struct loop_msg msg;
	struct partial parts[MANY];
	unsigned n, left;
	int err;
	bool over;
};

static struct batch batch;

static void batch_over(struct loop_msg *m)
{
	(void)m;
	batch.over = true;
}

static void batch_done(struct partial *p, int err)
{
	(void)p;
	if (err)
		batch.err = err;
	if (--batch.left)
		return;
	batch.msg.run = batch_over;
	loop_post(f.loop, &batch.msg);
}

static void batch_send(struct loop_msg *m)
{
	unsigned i;

	(void)m;
	for (i = 0; i < batch.n; i++)
		partial_submit(&disk, &batch.parts[i]);
}

static void batch_add(uint64_t off, uint64_t len, uint32_t block)
{
	struct partial *p = &batch.parts[batch.n++];
	uint8_t *bytes;
	uint64_t i;

	*p = (struct partial){ .op = DM_WRITE, .block = block, .off = off, .len = len, .done = batch_done };
	p->data = aligned_alloc(4096, (partial_room(off, len, block) + 4095) & ~4095ul);
	assert_non_null(p->data);
	memset(p->data, 0xee, partial_room(off, len, block));
	bytes = p->data + partial_place(off, block);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_below(256);
	memcpy(model + off, bytes, len);
}

static void batch_run(void)
{
	unsigned i;

	batch.left = batch.n;
	batch.over = false;
	batch.err = 0;
	batch.msg.run = batch_send;
	loop_post(f.world->io[0].loop, &batch.msg);
	while (!batch.over)
		loop_turn(f.loop, -1);
	assert_int_equal(batch.err, 0);
	for (i = 0; i < batch.n; i++)
		free(batch.parts[i].data);
	batch.n = 0;
}

static void check(void)
{
	uint8_t *got = aligned_alloc(4096, SIZE);
	unsigned i;

	assert_non_null(got);
	assert_int_equal(request(&f, device, 0, DM_READ, 0, 0, SIZE / DM_SECTOR, got), 0);
	for (i = 0; i < SIZE && got[i] == model[i]; i++)
		;
	free(got);
	assert_int_equal(i, SIZE);	/* the first byte that differs */
	assert_true(list_empty(&disk.active) && list_empty(&disk.waiting) && !disk.n_uneven);
}

static void test_one_by_one(void **state)
{
	static const uint64_t edges[][2] = {
		{ 0, 1 }, { 511, 1 }, { 511, 2 }, { 1, 510 }, { 0, 512 }, { 1, 512 }, { 0, 513 }, { 1023, 1026 },
		{ SIZE - 1, 1 }, { SIZE - 513, 513 }, { 0, SIZE }, { 3, SIZE - 7 },
	};
	unsigned i, block;

	(void)state;
	for (block = 512; block <= 8192; block *= 4)
		for (i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
			batch_add(edges[i][0], edges[i][1], block);
			batch_run();
			check();
		}
	for (i = 0; i < 300; i++) {
		uint64_t off = random_below(SIZE - 5000);

		batch_add(off, 1 + random_below(4999), 512u << random_below(4));
		batch_run();
	}
	check();
}

/* The whole device in odd parts, in any order, all at once: each block has many writers, and none may lose its bytes. */
static void test_neighbours_at_once(void **state)
{
	uint64_t cuts[MANY + 1], off = 0;
	unsigned order[MANY], n = 0, i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (n = 0, off = random_below(5000); n < MANY && off < SIZE - 2000; n++) {
			cuts[n] = off;
			off += random_below(4) ? 1 + random_below(700) : 512 * (1 + random_below(3));
		}
		cuts[n] = off;
		for (i = 0; i < n; i++) {
			unsigned j = random_below(i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		for (i = 0; i < n; i++)
			batch_add(cuts[order[i]], cuts[order[i] + 1] - cuts[order[i]], 512u << (round % 3));
		batch_run();
		check();
	}
}

/* Uneven writes to the same bytes take effect in order of arrival. */
static void test_same_bytes_in_order(void **state)
{
	unsigned i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < MANY; i++)
			batch_add(1 + 2 * random_below(1500), 1 + 2 * random_below(2000), 4096);
		batch_run();
		check();
	}
}

/* Even and uneven ones that overlap, each block finally written as a whole: nothing that was read before comes back. */
static void test_even_after_uneven(void **state)
{
	unsigned i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < MANY / 2; i++)
			batch_add(1 + random_below(30000), 1 + 2 * random_below(300), 512);
		batch_add(0, 32768, 512);
		batch_run();
		check();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_neighbours_at_once),
		cmocka_unit_test(test_same_bytes_in_order),
		cmocka_unit_test(test_even_after_uneven),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
