/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots beyond what every target promises: what they show while the origin is written to on other threads, stores that are
 * full or damaged, a million exceptions, and a merge that is interrupted again and again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "support/pending.h"
#include "support/world.h"
#include "targets/snapshot/format.h"

enum { SECTORS = 2048, CHUNK = 8, THREADS = 2, ROUNDS = 300 };

static struct fixture f;
static char why[ERR_TEXT];
static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static int begin(void **state)
{
	(void)state;
	seed = 1;
	fixture_begin(&f, THREADS, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static struct dm_device *open_new(const char *name, const char *table)
{
	struct dm_device *d = make_device(&f, name, table);

	dm_open(d);
	return d;
}

static void closed(struct dm_device *d, const char *name)
{
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, name, 0, why), 0);
}

static int do_io(struct dm_device *d, enum dm_op op, uint64_t sector, uint64_t count, void *data)
{
	return request(&f, d, random_below(THREADS), op, 0, sector, count, data);
}

static bool status_is(const char *name, const char *what)
{
	char *text = rows(&f, DM_DO_STATUS, name, 0);
	bool is = strstr(text, what);

	if (!is)
		print_message("%s", text);
	free(text);
	return is;
}

/* --- a snapshot under load ---------------------------------------------------------------------------------------------- */

static uint8_t before[SECTORS * 512], data[SECTORS * 512];

static void fill(struct dm_device *d)
{
	size_t i;

	for (i = 0; i < sizeof(before); i++)
		before[i] = (uint8_t)(i * 7 + i / 512);
	assert_int_equal(do_io(d, DM_WRITE, 0, SECTORS, before), 0);
}

enum { WAVES = 60, AT_ONCE = 24 };

/* Writes on several threads overlap, which is a race of theirs, as on a disk: ThreadSanitizer is not to see it. */
static unsigned thread_of(bool writes)
{
#ifdef __SANITIZE_THREAD__
	if (writes)
		return 0;
#endif
	(void)writes;
	return random_below(THREADS);
}

/* Reads through snapshots and writes to the origin are under way at the same time, on both threads. */
static void wave(struct dm_device *org, struct dm_device *const snaps[], unsigned n)
{
	static struct job jobs[AT_ONCE];
	static uint8_t bytes[AT_ONCE][64 * 512];
	unsigned i;

	for (i = 0; i < AT_ONCE; i++) {
		bool writes = random_below(2);
		uint64_t sector = random_below(SECTORS - 64), count = 1 + random_below(64);

		memset(bytes[i], (int)random_below(256), sizeof(bytes[i]));
		job_start(&f, &jobs[i], writes ? org : snaps[random_below(n)], thread_of(writes), writes ? DM_WRITE : DM_READ, 0, sector,
			  count, bytes[i]);
	}
	for (i = 0; i < AT_ONCE; i++) {
		assert_int_equal(job_wait(&jobs[i]), 0);
		if (jobs[i].device != org && memcmp(bytes[i], before + jobs[i].req.at * 512, jobs[i].req.count * 512))
			fail_msg("a read of the snapshot shows what was written to its origin later");
	}
}

/* Milliseconds that reads, writes and flushes of a place take. */
struct takes {
	unsigned read, write, flush;
};

/* MEMORY, of so many sectors, as device NAME. */
static struct dm_device *open_slow(const char *name, unsigned sectors, const char *memory, const struct takes *t)
{
	char line[256];

	snprintf(line, sizeof(line), "0 %u delay %s 0 %u %s 0 %u %s 0 %u", sectors, memory, t->read, memory, t->write, memory, t->flush);
	return open_new(name, line);
}

static struct dm_device *open_snap(unsigned i, const char *store, const struct takes *t)
{
	char name[16], cow[16], memory[32], line[128];

	snprintf(name, sizeof(name), "snap%u", i);
	snprintf(cow, sizeof(cow), "cow%u", i);
	snprintf(memory, sizeof(memory), "memory,size=4M:cow%u", i);
	snprintf(line, sizeof(line), "0 2048 snapshot /dev/mapper/real /dev/mapper/%s %s", cow, store);
	dm_close(open_slow(cow, 8192, memory, t));
	return open_new(name, line);
}

static void close_snap(struct dm_device *snap, unsigned i)
{
	char name[16];

	snprintf(name, sizeof(name), "snap%u", i);
	closed(snap, name);
	snprintf(name, sizeof(name), "cow%u", i);
	assert_int_equal(verb(&f, DM_DO_REMOVE, name, 0, why), 0);
}

/* ORIGIN: how long that takes, STORE: each of the stores. */
static void load(const char *const stores[], unsigned n, struct takes origin, struct takes store)
{
	struct dm_device *real = open_slow("real", SECTORS, "memory,size=1M:origin", &origin), *org, *snaps[3];
	unsigned i;

	fill(real);
	org = open_new("org", "0 2048 snapshot-origin /dev/mapper/real");
	for (i = 0; i < n; i++)
		snaps[i] = open_snap(i, stores[i], &store);
	for (i = 0; i < WAVES; i++)
		wave(org, snaps, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(do_io(snaps[i], DM_READ, 0, SECTORS, data), 0);
		assert_memory_equal(data, before, sizeof(before));
		close_snap(snaps[i], i);
	}
	closed(org, "org");
	closed(real, "real");
}

static void reads_never_show_what_the_origin_got_later(void **state)
{
	static const struct takes no_time;

	(void)state;
	load((const char *const[]){ "P 8", "N 32", "PO 8" }, 3, no_time, no_time);
	load((const char *const[]){ "N 8" }, 1, no_time, no_time);
	load((const char *const[]){ "P 1" }, 1, no_time, no_time);
}

/* Each place in turn is the slow one, for reads or for writes: so whatever may be overtaken is. */
static void delays_on_every_leg_change_nothing_of_that(void **state)
{
	static const struct takes slow_reads = { 4, 0, 0 }, slow_writes = { 0, 4, 1 }, some = { 1, 2, 1 };

	(void)state;
	load((const char *const[]){ "P 8", "N 32" }, 2, slow_reads, some);
	load((const char *const[]){ "P 8", "N 32" }, 2, slow_writes, some);
	load((const char *const[]){ "P 16", "N 8" }, 2, some, slow_reads);
	load((const char *const[]){ "P 16", "N 8" }, 2, some, slow_writes);
}

/* --- suspended as one --------------------------------------------------------------------------------------------------- */

/* A write to the origin is copied to the store, which is suspended with it, while the snapshot goes on. */
static void an_origin_is_suspended_before_the_stores_of_its_snapshots(void **state)
{
	static const char *const names[] = { "store", "org" };
	struct dm_device *real, *store, *snap, *org;
	struct pending p;
	struct job j;

	(void)state;
	gate_open(&f);
	real = open_new("real", "0 2048 gate");
	store = open_new("store", "0 2048 linear memory,size=1M:cow 0");
	snap = open_new("snap", "0 2048 snapshot /dev/mapper/real /dev/mapper/store P 8");
	org = open_new("org", "0 2048 snapshot-origin /dev/mapper/real");
	gate_shut();
	job_start(&f, &j, org, 0, DM_WRITE, 0, 0, 8, data);
	while (!gate_held())
		settle_threads(&f);		/* the chunk is being read for its copy */
	pending_start(&f, &p, (struct dm_cmd){ .verb = DM_DO_SUSPEND, .names = names, .n_names = 2 });
	while (store->gate == DM_GATE_OPEN)
		settle_threads(&f);
	assert_int_equal(store->gate, DM_GATE_INNER);
	gate_open(&f);
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(pending_wait(&f, &p), 0);
	assert_int_equal(store->gate, DM_GATE_SHUT);
	assert_int_equal(verb(&f, DM_DO_RESUME, "store", 0, NULL), 0);
	closed(org, "org");
	closed(snap, "snap");
	closed(store, "store");
	closed(real, "real");
}

/* --- a store that is full ----------------------------------------------------------------------------------------------- */

static void a_full_store_says_so(void **state)
{
	struct dm_device *snap;
	unsigned i;

	(void)state;
	snap = open_new("snap", "0 2048 snapshot memory,size=1M:o memory,size=32K:c PO 8");
	for (i = 0; i < 6; i++)
		assert_int_equal(do_io(snap, DM_WRITE, i * 8, 4, data), 0);
	assert_true(status_is("snap", "64/64 16"));
	assert_int_equal(do_io(snap, DM_WRITE, 800, 4, data), -EIO);
	assert_true(status_is("snap", "Overflow"));
	assert_int_equal(do_io(snap, DM_READ, 800, 4, data), 0);
	assert_int_equal(do_io(snap, DM_WRITE, 0, 4, data), -EIO);
	closed(snap, "snap");
	snap = open_new("snap", "0 2048 snapshot memory,size=1M:o memory,size=32K:d P 8");
	for (i = 0; i < 6; i++)
		assert_int_equal(do_io(snap, DM_WRITE, i * 8, 4, data), 0);
	assert_int_equal(do_io(snap, DM_WRITE, 800, 4, data), -EIO);
	assert_true(status_is("snap", "Invalid"));
	assert_int_equal(do_io(snap, DM_READ, 0, 4, data), -EIO);
	closed(snap, "snap");
}

/* --- a store that is damaged -------------------------------------------------------------------------------------------- */

/* A store with 40 exceptions, as a line writes it. */
static void store_made(uint8_t *bytes, size_t size)
{
	struct dm_device *cow = open_new("cow", "0 1024 linear memory,size=512K:cow 0"), *snap;
	unsigned i;

	snap = open_new("snap", "0 2048 snapshot memory,size=1M:o /dev/mapper/cow P 1");
	for (i = 0; i < 40; i++)
		assert_int_equal(do_io(snap, DM_WRITE, i * 13 % 2048, 1, data), 0);
	closed(snap, "snap");
	assert_int_equal(do_io(cow, DM_READ, 0, size / 512, bytes), 0);
	closed(cow, "cow");
}

static void a_damaged_store_is_refused_or_used_as_it_is(void **state)
{
	static uint8_t good[64 * 512], bad[64 * 512];
	struct dm_device *cow;
	unsigned round, opens = 0, i;

	(void)state;
	store_made(good, sizeof(good));
	cow = open_new("cow", "0 1024 linear memory,size=512K:fuzz 0");
	for (round = 0; round < ROUNDS; round++) {
		memcpy(bad, good, sizeof(bad));
		for (i = 0; i <= round % 3; i++) {
			unsigned at = random_below(4) ? 512 + random_below(700) : random_below(16);

			bad[at] = (uint8_t)(random_below(2) ? random_below(256) : bad[at] ^ 1u << random_below(8));
		}
		assert_int_equal(do_io(cow, DM_WRITE, 0, 64, bad), 0);
		if (create(&f, "snap", "0 2048 snapshot memory,size=1M:o /dev/mapper/cow P 1", why)) {
			assert_true(strlen(why) > 20);
			continue;
		}
		opens++;
		dm_open(dm_find_name(f.world, "snap"));
		(void)do_io(dm_find_name(f.world, "snap"), DM_READ, 0, 2048, data);
		closed(dm_find_name(f.world, "snap"), "snap");
	}
	closed(cow, "cow");
	assert_in_range(opens, 1, ROUNDS - 1);
}

/* Byte AT of the store of 40 exceptions, and those that follow, are BYTES bytes of VALUE. */
static void a_bad_store_gets_a_sentence(void **state)
{
	static const struct { unsigned at, bytes; uint64_t value; const char *part; } wrong[] = {
		{ 0, 4, 0x70416e54, "is no exception store: it begins with 0x70416e54" },
		{ 8, 4, 9, "of version 9; only version 1 is known" },
		{ 12, 4, 3, "chunks of 3 sectors (in the header) cannot be used" },
		{ 12, 4, 0, "chunks of 0 sectors" },
		{ 12, 4, 1u << 22, "chunks of 4194304 sectors" },
		{ 512, 8, 2048, "entry 0 of area 0 says that chunk 2048 is in 2, and its origin ends before that" },
		{ 520, 8, 1024, "and the store ends before that" },
		{ 520, 8, UINT64_MAX, "and the store ends before that" },
		{ 520, 8, 34, "where the store has its own list" },
		{ 536, 8, 2, "where another one is" },
		{ 528, 8, 0, "and an entry before it says something else" },
	};
	static uint8_t good[64 * 512], bad[64 * 512];
	struct dm_device *cow;
	unsigned i;

	(void)state;
	store_made(good, sizeof(good));
	cow = open_new("cow", "0 1024 linear memory,size=512K:wrong 0");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t value = htole64(wrong[i].value);

		memcpy(bad, good, sizeof(bad));
		memcpy(bad + wrong[i].at, &value, wrong[i].bytes);
		assert_int_equal(do_io(cow, DM_WRITE, 0, 64, bad), 0);
		assert_int_not_equal(create(&f, "snap", "0 2048 snapshot memory,size=1M:o /dev/mapper/cow P 1", why), 0);
		if (!strstr(why, wrong[i].part))
			fail_msg("%u: %s", i, why);
		assert_int_equal(do_io(cow, DM_READ, 0, 64, data), 0);
		assert_memory_equal(data, bad, sizeof(bad));
	}
	assert_int_equal(do_io(cow, DM_WRITE, 0, 64, good), 0);
	assert_int_not_equal(create(&f, "snap", "0 256 snapshot memory,size=1M:o /dev/mapper/cow P 1", why), 0);
	assert_non_null(strstr(why, "and its origin ends before that"));
	closed(cow, "cow");
	assert_int_not_equal(create(&f, "snap", "0 2048 snapshot memory,size=1M:o memory,size=12K:tiny P 16", why), 0);
	assert_non_null(strstr(why, "has 24 sectors, less than the 2 chunks of 16 sectors that a store needs at least"));
}

/* It has a table that is shorter, and then its old one: what is not there fails, and nothing else. */
static void an_origin_that_shrinks_fails_where_it_ends(void **state)
{
	struct dm_device *real = open_new("real", "0 2048 linear memory,size=1M:o 0"), *snap;

	(void)state;
	memset(before, 'b', sizeof(before));
	assert_int_equal(do_io(real, DM_WRITE, 0, SECTORS, before), 0);
	snap = open_new("snap", "0 2048 snapshot /dev/mapper/real memory,size=1M:c P 8");
	assert_int_equal(do_io(snap, DM_WRITE, 64, 8, data), 0);
	assert_int_equal(reload(&f, "real", "0 1024 linear memory,size=1M:o 0", why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "real", 0, why), 0);
	assert_int_equal(do_io(snap, DM_READ, 1016, 16, data), -EIO);
	assert_int_equal(do_io(snap, DM_READ, 0, 64, data), 0);
	assert_memory_equal(data, before, 64 * 512);
	assert_int_not_equal(do_io(snap, DM_WRITE, 1500, 4, data), 0);
	assert_int_equal(reload(&f, "real", "0 2048 linear memory,size=1M:o 0", why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "real", 0, why), 0);
	assert_int_equal(do_io(real, DM_READ, 0, SECTORS, data), 0);
	assert_memory_equal(data, before, sizeof(before));
	closed(snap, "snap");
	closed(real, "real");
}

static void resize_store(unsigned sectors)
{
	char table[100];

	snprintf(table, sizeof(table), "0 %u linear memory,size=2M:c 0", sectors);
	assert_int_equal(reload(&f, "cow", table, why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "cow", 0, why), 0);
}

/*
 * The last entry of an area needs the next area to be zeroed. The store had room for that when the chunk was allocated, and has none
 * when its copy is over: the snapshot is lost, and the origin goes on.
 */
static void a_store_that_shrinks_below_its_next_area_is_invalid(void **state)
{
	struct dm_device *org, *snap;
	struct job j;

	(void)state;
	make_device(&f, "cow", "0 2064 linear memory,size=2M:c 0");
	make_device(&f, "real", "0 2040 linear memory,size=1M:o 0\n2040 8 gate");
	org = open_new("org", "0 2048 snapshot-origin /dev/mapper/real");
	snap = open_new("snap", "0 2048 snapshot /dev/mapper/real /dev/mapper/cow P 8");
	assert_int_equal(do_io(org, DM_WRITE, 0, 2040, data), 0);
	resize_store(4096);
	gate_shut();
	job_start(&f, &j, org, 0, DM_WRITE, 0, 2040, 8, data);
	while (!gate_held())
		settle_threads(&f);
	resize_store(2064);
	assert_true(status_is("snap", "/2064 "));	/* it has looked */
	gate_open(&f);
	assert_int_equal(job_wait(&j), 0);
	assert_true(status_is("snap", "Invalid"));
	closed(snap, "snap");
	closed(org, "org");
}

/* The lines of a table move while it is built, and are told of afterwards. */
static void a_line_among_many_tells_that_it_is_invalid(void **state)
{
	char table[1024] = "0 2048 snapshot /dev/mapper/real memory,size=16K:c N 8";
	struct dm_device *org, *snap;
	unsigned i;

	(void)state;
	for (i = 0; i < 20; i++)
		sprintf(table + strlen(table), "\n%u 8 zero", 2048 + 8 * i);
	make_device(&f, "real", "0 2048 linear memory,size=1M:o 0");
	org = open_new("org", "0 2048 snapshot-origin /dev/mapper/real");
	snap = open_new("snap", table);
	assert_int_equal(do_io(org, DM_WRITE, 0, 80, data), 0);
	assert_true(status_is("snap", "Invalid"));
	assert_int_equal(info(&f, "snap").event_nr, 1);
	closed(snap, "snap");
	closed(org, "org");
}

/* Also on the snapshot's own device: what is in the store belongs to the origin that it had. */
static void a_store_is_of_one_origin(void **state)
{
	struct dm_device *snap, *other = open_new("other", "0 2048 zero");

	(void)state;
	snap = open_new("snap", "0 2048 snapshot memory,size=1M:o memory,size=1M:c N 8");
	memset(data, 's', 4 * 512);
	assert_int_equal(do_io(snap, DM_WRITE, 64, 4, data), 0);
	assert_int_equal(reload(&f, "snap", "0 2048 snapshot /dev/mapper/other memory,size=1M:c N 8", why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "snap", 0, why), -EINVAL);
	assert_non_null(strstr(why, "its store has what belongs to another origin"));
	assert_int_equal(do_io(snap, DM_READ, 64, 4, data + 4 * 512), 0);
	assert_memory_equal(data, data + 4 * 512, 4 * 512);
	closed(snap, "snap");
	closed(other, "other");
}

/* --- a million exceptions ----------------------------------------------------------------------------------------------- */

/* A sanitizer slows it down. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOST_MS 60000u
#else
#define MOST_MS 1000u
#endif

static uint64_t ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#define MILLION 1000000u

static void million_written(struct dm_device *cow)
{
	struct snap_header h = { htole32(SNAP_MAGIC), htole32(1), htole32(SNAP_VERSION), htole32(CHUNK) };
	static struct snap_entry area[256];
	uint64_t i, k;

	memset(area, 0, sizeof(area));
	memcpy(area, &h, sizeof(h));
	assert_int_equal(do_io(cow, DM_WRITE, 0, 8, area), 0);
	for (i = 0; i < MILLION; i += 256) {
		for (k = 0; k < 256; k++)
			area[k] = i + k < MILLION ? (struct snap_entry){ htole64((i + k) * 7 % 7000003), htole64(snap_area_chunk(i / 256, 256) + 1 + k) } :
						    (struct snap_entry){ 0, 0 };
		assert_int_equal(do_io(cow, DM_WRITE, snap_area_chunk(i / 256, 256) * CHUNK, 8, area), 0);
	}
}

static void a_million_exceptions_are_read_at_once(void **state)
{
	struct dm_device *cow = open_new("cow", "0 8388608 linear memory,size=4G:cow 0"), *snap;
	uint64_t began, used;

	(void)state;
	million_written(cow);
	make_device(&f, "zeros", "0 56000064 zero");
	began = ms(CLOCK_MONOTONIC);
	used = ms(CLOCK_PROCESS_CPUTIME_ID);
	snap = open_new("snap", "0 56000064 snapshot /dev/mapper/zeros /dev/mapper/cow P 8");
	used = ms(CLOCK_PROCESS_CPUTIME_ID) - used;
	print_message("# 1000000 exceptions: %llu ms, %llu of the processor\n", (unsigned long long)(ms(CLOCK_MONOTONIC) - began),
		      (unsigned long long)used);
	assert_true(used < MOST_MS);		/* whatever else this machine does */
	assert_true(status_is("snap", "/8388608 "));
	assert_int_equal(do_io(snap, DM_READ, 7 * 8, 8, data), 0);
	closed(snap, "snap");
	closed(cow, "cow");
}

/* --- merging ------------------------------------------------------------------------------------------------------------ */

static bool is_merged(void)
{
	char *text = rows(&f, DM_DO_STATUS, "org", 0), *slash = strchr(text, '/');
	unsigned long used = strtoul(strstr(text, "merge ") + 6, NULL, 10), metadata = strtoul(strchr(slash, ' '), NULL, 10);

	free(text);
	return used == metadata;
}

/* While it is merged, it is written to, suspended and resumed: what is read is what was written last. */
static void a_merge_changes_nothing_that_is_read(void **state)
{
	struct dm_device *org, *snap;
	unsigned i;

	(void)state;
	/* Memory goes with the last table that has it. */
	make_device(&f, "keeps", "0 2048 linear memory,size=1M:o 0\n2048 8192 linear memory,size=4M:c 0");
	snap = open_new("snap", "0 2048 snapshot memory,size=1M:o memory,size=4M:c P 8");
	for (i = 0; i < sizeof(before); i++)
		before[i] = (uint8_t)(i * 3 + i / 4096);
	for (i = 0; i < SECTORS; i += 8)
		assert_int_equal(do_io(snap, DM_WRITE, (i * 5) % SECTORS, 8, before + (i * 5) % SECTORS * 512), 0);
	closed(snap, "snap");
	org = open_new("org", "0 2048 snapshot-merge memory,size=1M:o memory,size=4M:c P 8");
	for (i = 0; !is_merged() || i < 40; i++) {
		unsigned sector = random_below(SECTORS - 20), count = 1 + random_below(20);

		memset(before + sector * 512, (int)i, count * 512);
		assert_int_equal(do_io(org, DM_WRITE, sector, count, before + sector * 512), 0);
		if (i % 8 == 3) {
			assert_int_equal(verb(&f, DM_DO_SUSPEND, "org", 0, why), 0);
			assert_int_equal(verb(&f, DM_DO_RESUME, "org", 0, why), 0);
		}
		assert_int_equal(do_io(org, DM_READ, 0, SECTORS, data), 0);
		assert_memory_equal(data, before, sizeof(before));
	}
	closed(org, "org");
	org = open_new("org", "0 2048 linear memory,size=1M:o 0");
	assert_int_equal(do_io(org, DM_READ, 0, SECTORS, data), 0);
	assert_memory_equal(data, before, sizeof(before));
	closed(org, "org");
}

/* As on Linux: a snapshot only reads its origin, so it is another opening than that of a line which writes to it. */
static void a_device_with_a_snapshot_and_an_origin_has_that_open_twice(void **state)
{
	(void)state;
	make_device(&f, "org", "0 2048 linear memory,size=1M:o 0");
	make_device(&f, "d", "0 2048 snapshot org memory,size=4M:c N 8");
	assert_int_equal(info(&f, "org").open_count, 1);
	assert_int_equal(reload(&f, "d", "0 2048 snapshot org memory,size=4M:c N 8", why), 0);
	assert_int_equal(info(&f, "org").open_count, 1);
	assert_int_equal(reload(&f, "d", "0 2048 snapshot-origin org", why), 0);
	assert_int_equal(info(&f, "org").open_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_never_show_what_the_origin_got_later, begin, end),
		cmocka_unit_test_setup_teardown(delays_on_every_leg_change_nothing_of_that, begin, end),
		cmocka_unit_test_setup_teardown(an_origin_is_suspended_before_the_stores_of_its_snapshots, begin, end),
		cmocka_unit_test_setup_teardown(a_full_store_says_so, begin, end),
		cmocka_unit_test_setup_teardown(a_damaged_store_is_refused_or_used_as_it_is, begin, end),
		cmocka_unit_test_setup_teardown(a_bad_store_gets_a_sentence, begin, end),
		cmocka_unit_test_setup_teardown(an_origin_that_shrinks_fails_where_it_ends, begin, end),
		cmocka_unit_test_setup_teardown(a_store_that_shrinks_below_its_next_area_is_invalid, begin, end),
		cmocka_unit_test_setup_teardown(a_line_among_many_tells_that_it_is_invalid, begin, end),
		cmocka_unit_test_setup_teardown(a_store_is_of_one_origin, begin, end),
		cmocka_unit_test_setup_teardown(a_device_with_a_snapshot_and_an_origin_has_that_open_twice, begin, end),
		cmocka_unit_test_setup_teardown(a_million_exceptions_are_read_at_once, begin, end),
		cmocka_unit_test_setup_teardown(a_merge_changes_nothing_that_is_read, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
