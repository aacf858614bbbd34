/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every store must do: random requests of every kind compared with a model in memory, on both file engines and two
 * io threads. For each line of stores.list there must be a way here to make one, or the test fails.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "stores/stores.h"
#include "support/place.h"
#include "support/world.h"

#define BYTES (8u << 20)
#define SECTORS (BYTES / DM_SECTOR)
#define ROUNDS 600
#define MOST 300	/* sectors of one request */

static struct fixture f;
static struct dm_device *disk;
static int kept = -1;		/* keeps a loop device */

/* How to make the word for a new store of BYTES. False: not possible on this machine. */
struct make {
	const char *type, *what;
	bool (*word)(char out[PLACE_PATH]);
};

static bool word_memory(char out[PLACE_PATH])
{
	strcpy(out, "memory,size=8M:fresh");
	return true;
}

static bool word_memory_4k(char out[PLACE_PATH])
{
	strcpy(out, "memory,size=8M,logical=4096:fresh");
	return true;
}

static bool word_file(char out[PLACE_PATH])
{
	place_file(out, "fresh", BYTES);
	return true;
}

static bool with_options(char out[PLACE_PATH], const char *options)
{
	char path[PLACE_PATH];

	place_file(path, "fresh", BYTES);
	return snprintf(out, PLACE_PATH, "%s:%s", options, path) < PLACE_PATH;
}

static bool word_file_4k(char out[PLACE_PATH])
{
	return with_options(out, "file,logical=4096,physical=16384");
}

static bool word_file_direct(char out[PLACE_PATH])
{
	return with_options(out, "file,direct");
}

/* A file system without ZERO_RANGE, where zeros have to be written. */
static bool word_file_tmpfs(char out[PLACE_PATH])
{
	if (!place_tmpfs("tmpfs", 2 * BYTES))
		return false;
	place_file(out, "tmpfs/fresh", BYTES);
	return true;
}

static bool on_loop(char out[PLACE_PATH], const char *name, uint32_t block)
{
	char path[PLACE_PATH];

	place_file(path, name, BYTES);
	kept = place_loop(out, path, block, false);
	return kept >= 0;
}

static bool word_block_device(char out[PLACE_PATH])
{
	return on_loop(out, "below", 512);
}

/* It cannot write zeros fast, and says so only when it is asked to. */
static bool word_block_device_tmpfs(char out[PLACE_PATH])
{
	return place_tmpfs("tmpfs", 2 * BYTES) && on_loop(out, "tmpfs/below", 512);
}

static bool word_block_device_4k_direct(char out[PLACE_PATH])
{
	char path[PLACE_PATH];

	return on_loop(path, "below", 4096) && snprintf(out, PLACE_PATH, "file,direct:%s", path) < PLACE_PATH;
}

static bool word_device(char out[PLACE_PATH])
{
	assert_int_equal(create(&f, "below", "0 16384 linear memory,size=8M:below 0", NULL), 0);
	strcpy(out, "/dev/mapper/below");
	return true;
}

static const struct make makes[] = {
	{ "memory", "memory", word_memory },
	{ "memory", "memory with blocks of 4096", word_memory_4k },
	{ "file", "a file", word_file },
	{ "file", "a file with blocks of 4096", word_file_4k },
	{ "file", "a file read directly", word_file_direct },
	{ "file", "a file on tmpfs", word_file_tmpfs },
	{ "file", "a block device", word_block_device },
	{ "file", "a block device on tmpfs", word_block_device_tmpfs },
	{ "file", "a block device of 4096, directly", word_block_device_4k_direct },
	{ "device", "a mapped device", word_device },
};

static bool is_on_tmpfs(const struct make *m)
{
	return m->word == word_file_tmpfs || m->word == word_block_device_tmpfs;
}

#define MAKES (sizeof(makes) / sizeof(*makes))

struct variant {
	const struct make *make;
	enum aio_engine engine;
	char name[96];
};

/* What the store must contain; a sector that was discarded may contain anything. */
struct model {
	uint8_t data[BYTES];
	bool unknown[SECTORS];
};

static struct model *model;
static uint8_t *buffer;

static int begin(void **state)
{
	const struct variant *v = *state;
	char word[PLACE_PATH], table[PLACE_PATH + 64], why[ERR_TEXT];

	place_begin();
	fixture_begin(&f, 2, v->engine);
	assert_true(v->make->word(word));
	snprintf(table, sizeof(table), "0 %u linear %s 0", SECTORS, word);
	if (create(&f, "disk", table, why))
		fail_msg("%s", why);
	disk = dm_find_name(f.world, "disk");
	dm_open(disk);
	model = calloc(1, sizeof(*model));
	buffer = malloc(MOST * DM_SECTOR + 64);
	srand(7);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(model);
	free(buffer);
	dm_close(disk);
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	if (kept >= 0)
		close(kept);
	kept = -1;
	if (is_on_tmpfs(((const struct variant *)*state)->make))
		place_tmpfs_end("tmpfs");
	place_end();
	return 0;
}

static uint64_t block(void)
{
	return disk->active->limits.logical / DM_SECTOR;
}

static unsigned below(uint64_t n)
{
	return (unsigned)(((uint64_t)rand() << 16 ^ (uint64_t)rand()) % n);
}

static void check_read(uint64_t sector, uint64_t n, const uint8_t *got)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		if (!model->unknown[sector + i] &&
		    memcmp(got + i * DM_SECTOR, model->data + (sector + i) * DM_SECTOR, DM_SECTOR))
			fail_msg("sector %llu is not what was written", (unsigned long long)(sector + i));
}

static void do_write(unsigned io, uint64_t sector, uint64_t n, uint8_t *data)
{
	uint64_t i;

	for (i = 0; i < n * DM_SECTOR; i++)
		data[i] = (uint8_t)rand();
	assert_int_equal(request(&f, disk, io, DM_WRITE, rand() % 16 ? 0 : DM_FUA, sector, n, data), 0);
	memcpy(model->data + sector * DM_SECTOR, data, n * DM_SECTOR);
	memset(model->unknown + sector, false, n);
}

static void do_zeroes(unsigned io, uint64_t sector, uint64_t n)
{
	static const uint32_t flags[] = { 0, DM_KEEP, DM_FAST, DM_KEEP | DM_FAST, DM_FUA };
	uint32_t how = flags[rand() % 5];
	int r = request(&f, disk, io, DM_ZEROES, how, sector, n, NULL);

	if (r == -EOPNOTSUPP && (how & DM_FAST))
		return;
	assert_int_equal(r, 0);
	memset(model->data + sector * DM_SECTOR, 0, n * DM_SECTOR);
	memset(model->unknown + sector, false, n);
}

/* What is reported as zero reads as zeros; the extent is not empty and stays in the requested range. */
static void do_extent(unsigned io, uint64_t sector, uint64_t n)
{
	uint64_t i, end;
	struct job j;

	job_start(&f, &j, disk, io, DM_EXTENT, 0, sector, n, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_in_range(j.req.count, 1, n);
	end = (sector + j.req.count) * DM_SECTOR;
	for (i = sector * DM_SECTOR; (j.req.flags & DM_ZERO) && i < end; i++)
		if (model->data[i] && !model->unknown[i / DM_SECTOR])
			fail_msg("sector %llu is said to be zero", (unsigned long long)(i / DM_SECTOR));
}

/* The memory is sometimes aligned and sometimes not: that is the submitter's choice. */
static void random_requests_keep_to_the_model(void **state)
{
	unsigned round;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		uint64_t n = (1 + below(MOST / block())) * block(), sector = below((SECTORS - n) / block() + 1) * block();
		uint8_t *data = buffer + below(64);
		unsigned io = rand() % 2, op = rand() % 24;

		if (op < 10) {
			do_write(io, sector, n, data);
		} else if (op < 16) {
			assert_int_equal(request(&f, disk, io, DM_READ, 0, sector, n, data), 0);
			check_read(sector, n, data);
		} else if (op < 18) {
			assert_int_equal(request(&f, disk, io, DM_DISCARD, 0, sector, n, NULL), 0);
			memset(model->unknown + sector, true, n);
		} else if (op < 20) {
			do_zeroes(io, sector, n);
		} else if (op < 23) {
			do_extent(io, sector, n);
		} else {
			assert_int_equal(request(&f, disk, io, DM_FLUSH, 0, 0, 0, NULL), 0);
		}
	}
}

#define AT_ONCE 128

/* Many write, all of them flush, each reads its own data back; with memory that is not aligned for direct I/O. */
static void a_crowd_is_served(void **state)
{
	struct job *jobs = calloc(AT_ONCE, sizeof(*jobs)), flushes[AT_ONCE];
	uint64_t n = SECTORS / AT_ONCE, size = n * DM_SECTOR;
	uint8_t *out = malloc(BYTES + 1), *in = malloc(BYTES + 1);
	unsigned i;

	(void)state;
	for (i = 0; i < BYTES + 1; i++)
		out[i] = (uint8_t)rand();
	for (i = 0; i < AT_ONCE; i++)
		job_start(&f, &jobs[i], disk, i % 2, DM_WRITE, 0, i * n, n, out + 1 + i * size);
	for (i = 0; i < AT_ONCE; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	for (i = 0; i < AT_ONCE; i++)
		job_start(&f, &flushes[i], disk, i % 2, DM_FLUSH, 0, 0, 0, NULL);
	for (i = 0; i < AT_ONCE; i++)
		job_start(&f, &jobs[i], disk, (i + 1) % 2, DM_READ, 0, i * n, n, in + 1 + i * size);
	for (i = 0; i < AT_ONCE; i++) {
		assert_int_equal(job_wait(&jobs[i]), 0);
		assert_int_equal(job_wait(&flushes[i]), 0);
	}
	assert_memory_equal(in + 1, out + 1, BYTES);
	free(jobs);
	free(out);
	free(in);
}

static void the_whole_can_be_zeroed(void **state)
{
	uint8_t *in = malloc(BYTES);
	uint64_t i;

	(void)state;
	memset(in, 'x', BYTES);
	assert_int_equal(request(&f, disk, 0, DM_WRITE, 0, 0, SECTORS, in), 0);
	assert_int_equal(request(&f, disk, 1, DM_ZEROES, 0, 0, SECTORS - 2 * block(), NULL), 0);
	assert_int_equal(request(&f, disk, 0, DM_READ, 0, 0, SECTORS, in), 0);
	for (i = 0; i < BYTES; i++)
		if (in[i] != (i < BYTES - 2 * block() * DM_SECTOR ? 0 : 'x'))
			fail_msg("byte %llu is %d", (unsigned long long)i, in[i]);
	free(in);
}

static void the_end_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(request(&f, disk, 0, DM_READ, 0, SECTORS, block(), buffer), -EIO);
	assert_int_equal(request(&f, disk, 0, DM_WRITE, 0, SECTORS - block(), 2 * block(), buffer), -EIO);
	assert_int_equal(request(&f, disk, 0, DM_ZEROES, 0, SECTORS - block(), 2 * block(), NULL), -EIO);
	if (block() > 1)
		assert_int_equal(request(&f, disk, 0, DM_WRITE, 0, 1, 1, buffer), -EINVAL);
}

/* What `table` prints can be loaded again, and gives the same store. */
static void the_table_can_be_loaded_again(void **state)
{
	char *text = rows(&f, DM_DO_TABLE, "disk", 0), *again, why[ERR_TEXT];
	struct dm_store *store = disk->active->stores[0];

	(void)state;
	if (reload(&f, "disk", text, why))
		fail_msg("%s", why);
	assert_ptr_equal(disk->inactive->stores[0], store);
	assert_int_equal(verb(&f, DM_DO_RESUME, "disk", 0, why), 0);
	again = rows(&f, DM_DO_TABLE, "disk", 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
}

static void every_line_of_the_list_is_tested(void **state)
{
	const struct dm_store_type *const *t;
	size_t i;

	(void)state;
	for (t = dm_store_types; *t; t++) {
		for (i = 0; i < MAKES && strcmp(makes[i].type, (*t)->name); i++)
			continue;
		if (i == MAKES)
			fail_msg("tests/unit/test_stores.c does not know how to make a store '%s'", (*t)->name);
		assert_true(strlen((*t)->usage) > 0 && strlen((*t)->about) > 0);
	}
}

static bool can_make(const struct make *m)
{
	char word[PLACE_PATH];
	bool can;

	if (m->word == word_device)
		return true;
	place_begin();
	can = m->word(word);
	if (kept >= 0)
		close(kept);
	kept = -1;
	if (can && is_on_tmpfs(m))
		place_tmpfs_end("tmpfs");
	place_end();
	if (!can)
		printf("# not on this machine: %s\n", m->what);
	return can;
}

static bool has_io_uring(void)
{
	struct err e = ERR_INIT;
	struct loop *l;
	struct aio *a;
	bool has;

	if (loop_new(&l, &e))
		return false;
	has = !aio_new(&a, l, AIO_URING, &e);
	if (has)
		aio_free(a);
	loop_free(l);
	return has;
}

static void run_all(struct variant *v, int *failed)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) { #name, name, begin, end, v }
		CASE(random_requests_keep_to_the_model), CASE(a_crowd_is_served), CASE(the_whole_can_be_zeroed),
		CASE(the_end_is_the_end), CASE(the_table_can_be_loaded_again),
	};

	printf("# %s\n", v->name);
	*failed += cmocka_run_group_tests_name(v->name, tests, NULL, NULL);
}

int main(void)
{
	static const enum aio_engine engines[] = { AIO_POOL, AIO_URING };
	const struct CMUnitTest list[] = { cmocka_unit_test(every_line_of_the_list_is_tested) };
	size_t i, n = has_io_uring() ? 2 : 1, k;
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("list", list, NULL, NULL);
	for (i = 0; i < MAKES; i++) {
		bool can = can_make(&makes[i]);

		for (k = 0; can && k < n; k++) {
			struct variant v = { .make = &makes[i], .engine = engines[k] };

			snprintf(v.name, sizeof(v.name), "%s, %s", makes[i].what, k ? "io_uring" : "pool");
			run_all(&v, &failed);
		}
	}
	return failed;
}
