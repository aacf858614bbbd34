/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushes of stacked devices: each store is flushed once, however many ways lead to it, and an error is returned. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#define LEVELS 36u
#define THREADS 2

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, THREADS, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static struct dm_device *made(const char *name, const char *table)
{
	return make_device(&f, name, table);
}

/* Two devices on each level, each mapped to both of the level below; the top is one of two that nobody uses. */
static struct dm_device *ladder(void)
{
	char name[16], table[120];
	struct dm_device *top = NULL;
	unsigned i, k;

	made("a0", "0 8 linear memory,size=1M:left 0");
	made("b0", "0 8 linear memory,size=1M:right 0");
	for (i = 1; i <= LEVELS; i++)
		for (k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "%c%u", "ab"[k], i);
			snprintf(table, sizeof(table), "0 4 linear a%u 0\n4 4 linear b%u 4", i - 1, i - 1);
			top = made(name, table);
		}
	dm_open(top);
	return top;
}

static uint64_t flushes(const char *name)
{
	struct dm_stats s = { 0 };

	dm_device_stats(dm_find_name(f.world, name), &s);
	return s.ios[DM_FLUSH];
}

static void a_flush_passes_each_device_of_a_ladder_once(void **state)
{
	struct dm_device *top = ladder();
	char name[16];
	unsigned i;

	(void)state;
	assert_int_equal(request(&f, top, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	for (i = 0; i < LEVELS; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		assert_int_equal(flushes(name), 1);
	}
	assert_int_equal(flushes("a36"), 0);
	assert_int_equal(request(&f, top, 1, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(request(&f, top, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes("a0"), 3);
	dm_close(top);
}

/* With regions each request becomes a piece, and so it does in a deep stack. */
static void a_ladder_with_regions_is_flushed_once(void **state)
{
	const char *create = "@stats_create - /1";
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "a20", .message = create };
	struct dm_device *top = ladder();

	(void)state;
	assert_int_equal(run(&f, &c, NULL), 0);
	dm_reply_free(&c.reply);
	assert_int_equal(request(&f, top, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes("a20"), 1);
	assert_int_equal(flushes("b0"), 1);
	dm_close(top);
}

static void flushes_of_a_ladder_wait_for_one_that_is_suspended(void **state)
{
	struct dm_device *top = ladder();
	struct job jobs[4];
	unsigned i;

	(void)state;
	verb(&f, DM_DO_SUSPEND, "a7", 0, NULL);
	for (i = 0; i < 4; i++)
		job_start(&f, &jobs[i], top, i % THREADS, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	for (i = 0; i < 4; i++)
		assert_false(jobs[i].over);
	verb(&f, DM_DO_RESUME, "a7", 0, NULL);
	for (i = 0; i < 4; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(flushes("a7"), 4);
	dm_close(top);
}

/* A store that counts its flushes, and fails them if told to; everything else is the real one's. */
static struct dm_store_type counting;
static atomic_uint counted;
static int answer;

static void count_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	if (r->op == DM_FLUSH) {
		atomic_fetch_add(&counted, 1);
		dm_done(r, answer);
	} else {
		dm_find_name(f.world, "plain")->active->stores[0]->type->submit(s, io, r);
	}
}

/* From now on the memory store of that device counts. */
static struct dm_store *count(const char *device)
{
	struct dm_store *s = dm_find_name(f.world, device)->active->stores[0];

	counting = *s->type;
	counting.submit = count_submit;
	s->type = &counting;
	atomic_store(&counted, 0);
	answer = 0;
	return s;
}

static void devices_on_one_file_flush_it_once(void **state)
{
	struct dm_device *d;

	(void)state;
	made("plain", "0 8 linear memory,size=1M:other 0");
	made("a", "0 8 linear memory,size=1M:shared 0");
	made("b", "0 8 linear memory,size=1M:shared 8");
	d = made("d", "0 8 linear a 0\n8 8 linear b 0\n16 8 linear memory,size=1M:shared 16");
	dm_open(d);
	count("a");
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(atomic_load(&counted), 1);
	assert_int_equal(request(&f, d, 1, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(atomic_load(&counted), 2);
	answer = -EIO;
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), -EIO);
	assert_int_equal(atomic_load(&counted), 3);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), -EIO);
	assert_int_equal(atomic_load(&counted), 4);
	answer = 0;
	dm_close(d);
}

/* After a write that must be durable, one store is flushed: that is never omitted. */
static void every_durable_write_is_flushed(void **state)
{
	static uint8_t data[8 * 512];
	struct dm_device *d;

	(void)state;
	made("plain", "0 8 linear memory,size=1M:other 0");
	d = made("d", "0 8 linear memory,size=1M:shared 0\n8 8 linear memory,size=1M:shared 8\n");
	dm_open(d);
	count("d")->limits.fua = false;
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 0, 8, data), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 4, 8, data), 0);	/* two pieces */
	assert_int_equal(atomic_load(&counted), 4);
	dm_close(d);
}

/* So what was answered before it is durable when it is answered; and so does a swap. Whoever says noflush does without. */
static void a_suspend_flushes_what_was_written(void **state)
{
	static uint8_t data[512];
	struct dm_device *d;

	(void)state;
	made("plain", "0 8 linear memory,size=1M:other 0");
	d = made("d", "0 8 linear memory,size=1M:shared 0");
	dm_open(d);
	count("d");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, data), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(atomic_load(&counted), 1);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(atomic_load(&counted), 1);
	answer = -EIO;
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), -EIO);
	assert_int_equal(d->state, DM_ACTIVE);
	answer = 0;
	assert_int_equal(reload(&f, "d", "0 8 zero", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(atomic_load(&counted), 3);
	dm_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flush_passes_each_device_of_a_ladder_once, begin, end),
		cmocka_unit_test_setup_teardown(a_ladder_with_regions_is_flushed_once, begin, end),
		cmocka_unit_test_setup_teardown(flushes_of_a_ladder_wait_for_one_that_is_suspended, begin, end),
		cmocka_unit_test_setup_teardown(devices_on_one_file_flush_it_once, begin, end),
		cmocka_unit_test_setup_teardown(every_durable_write_is_flushed, begin, end),
		cmocka_unit_test_setup_teardown(a_suspend_flushes_what_was_written, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
