/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies: complete, to several places, waiting for their buffers, throttled only in the background, with the position
 * of an error.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/kit/copy.h"
#include "support/world.h"

#define PIECE 16u		/* sectors */
#define SIZE 2048u
#define MANY 40u

static struct fixture f;
static struct copier *copier;
static struct dm_at from, one, two, bad, held, slow;

/* What a line of another device is mapped to. */
static struct dm_at place(const char *name, const char *table)
{
	char why[ERR_TEXT], line[128], user[64];

	if (create(&f, name, table, why))
		fail_msg("%s", why);
	snprintf(line, sizeof(line), "0 8 linear %u:%u 0", f.world->major, dm_find_name(f.world, name)->minor);
	snprintf(user, sizeof(user), "%s-user", name);
	assert_int_equal(create(&f, user, line, NULL), 0);
	return (struct dm_at){ dm_find_name(f.world, user)->active->stores[0], 0 };
}

static void fill(const char *name)
{
	static uint8_t data[SIZE * 512];
	struct dm_device *d = dm_find_name(f.world, name);
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 512);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, SIZE, data), 0);
}

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 2, AIO_AUTO);
	from = place("from", "0 2048 linear memory,size=1M:f 0");
	one = place("one", "0 2048 linear memory,size=1M:a 0");
	two = place("two", "0 2048 linear memory,size=1M:b 0");
	bad = place("bad", "0 40 linear memory,size=1M:c 0\n40 2008 error");
	held = place("held", "0 2048 gate");
	slow = place("slow", "0 2048 delay memory,size=1M:s 0 1000");
	fill("from");
	if (copier_new(&copier, f.world, 3, PIECE, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	(void)state;
	copier_free(copier);
	fixture_end(&f);
	return 0;
}

struct mine {
	struct copy copy;
	struct loop_msg msg;
	bool over;
};

static void told(struct loop_msg *m)
{
	container(m, struct mine, msg)->over = true;
}

static void over(struct copy *c)
{
	struct mine *m = container(c, struct mine, copy);

	m->msg.run = told;
	loop_post(f.loop, &m->msg);
}

static void start(struct mine *m, unsigned io, enum copy_class class, const struct dm_at *a, const struct dm_at *b, uint64_t n)
{
	*m = (struct mine){ .copy = { .io = &f.world->io[io], .done = over, .from = a, .to = { b }, .n_to = 1, .class = class,
				      .sectors = n } };
	copy_start(copier, &m->copy);
}

static int wait_for(struct mine *m)
{
	while (!m->over)
		loop_turn(f.loop, -1);
	return m->copy.err;
}

static void read_all(const char *name, uint8_t *data, uint64_t n)
{
	assert_int_equal(request(&f, dm_find_name(f.world, name), 0, DM_READ, 0, 0, n, data), 0);
}

static void a_copy_reaches_all_its_places(void **state)
{
	static uint8_t a[SIZE * 512], b[SIZE * 512];
	struct mine m = { .copy = { .io = &f.world->io[1], .done = over, .from = &from, .to = { &one, &two }, .n_to = 2,
				    .sectors = SIZE - 5 } };

	(void)state;
	copy_start(copier, &m.copy);
	assert_int_equal(wait_for(&m), 0);
	read_all("from", a, SIZE - 5);
	read_all("one", b, SIZE - 5);
	assert_memory_equal(a, b, (SIZE - 5) * 512);
	read_all("two", b, SIZE);
	assert_memory_equal(a, b, (SIZE - 5) * 512);
	assert_int_equal(b[(SIZE - 5) * 512] | b[SIZE * 512 - 1], 0);
	assert_int_equal(m.copy.copied, SIZE - 5);
	assert_int_equal(copier_progress(copier).sectors, SIZE - 5);
	assert_int_equal(copier_progress(copier).copies, 1);
}

static void a_failure_says_which_place_and_where(void **state)
{
	struct mine m;

	(void)state;
	start(&m, 0, COPY_WAITED, &from, &bad, SIZE);
	assert_int_equal(wait_for(&m), -EIO);
	assert_ptr_equal(m.copy.where, &bad);
	assert_int_equal(m.copy.copied, 32);
	start(&m, 1, COPY_BACKGROUND, &bad, &one, SIZE);
	assert_int_equal(wait_for(&m), -EIO);
	assert_ptr_equal(m.copy.where, &bad);
	assert_int_equal(copier_progress(copier).failed, 2);
	assert_int_equal(copier_progress(copier).copies, 0);
}

static int wait_while_time_passes(struct mine *m)
{
	while (!m->over) {
		settle_threads(&f);
		time_passes(&f, 1);
	}
	return m->copy.err;
}

/* A line below that holds a request uses dm_req.own for itself. */
static void a_place_may_hold_what_is_read_and_written(void **state)
{
	static uint8_t a[40 * 512], b[40 * 512];
	struct mine there, back;

	(void)state;
	start(&there, 0, COPY_WAITED, &from, &slow, 40);
	assert_int_equal(wait_while_time_passes(&there), 0);
	start(&back, 1, COPY_BACKGROUND, &slow, &one, 40);
	assert_int_equal(wait_while_time_passes(&back), 0);
	read_all("from", a, 40);
	read_all("one", b, 40);
	assert_memory_equal(a, b, sizeof(a));
}

/* There are more copies than buffers, from both threads and of both classes: they wait, and all end. */
static void more_copies_than_buffers_wait_in_line(void **state)
{
	static struct mine m[MANY];
	static uint8_t a[SIZE * 512], b[SIZE * 512];
	struct dm_at at[2][MANY];
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		at[0][i] = (struct dm_at){ from.store, i * 50 };
		at[1][i] = (struct dm_at){ one.store, i * 50 };
		start(&m[i], i % 2, i % 3 ? COPY_WAITED : COPY_BACKGROUND, &at[0][i], &at[1][i], 50);
	}
	for (i = 0; i < MANY; i++)
		assert_int_equal(wait_for(&m[i]), 0);
	read_all("from", a, MANY * 50);
	read_all("one", b, MANY * 50);
	assert_memory_equal(a, b, MANY * 50 * 512);
}

static void wait_for_gate(unsigned n)
{
	while (gate_held() != n)
		settle_threads(&f);
}

static void background_work_leaves_a_buffer_for_what_is_waited_for(void **state)
{
	struct mine slow[4], quick;
	struct dm_at to[4];
	unsigned i;

	(void)state;
	gate_shut();
	for (i = 0; i < 4; i++) {
		to[i] = (struct dm_at){ one.store, i * PIECE };
		start(&slow[i], i % 2, COPY_BACKGROUND, &held, &to[i], PIECE);
	}
	wait_for_gate(2);
	start(&quick, 0, COPY_WAITED, &from, &two, PIECE);
	assert_int_equal(wait_for(&quick), 0);
	assert_int_equal(gate_held(), 2);
	gate_open(&f);
	for (i = 0; i < 4; i++)
		assert_int_equal(wait_for(&slow[i]), 0);
}

/* It took a second, and may work half of the time. */
static void the_throttle_slows_background_copies_only(void **state)
{
	struct mine slow, quick;

	(void)state;
	copier_throttle(copier, 50);
	gate_shut();
	start(&slow, 0, COPY_BACKGROUND, &held, &one, 2 * PIECE);
	wait_for_gate(1);
	time_passes(&f, 1);
	gate_open(&f);
	while (copier_progress(copier).sectors < PIECE)
		settle_threads(&f);
	settle_threads(&f);
	assert_int_equal(copier_progress(copier).sectors, PIECE);
	assert_false(slow.over);
	start(&quick, 0, COPY_WAITED, &from, &two, 2 * PIECE);
	assert_int_equal(wait_for(&quick), 0);
	assert_int_equal(copier_progress(copier).sectors, 3 * PIECE);
	time_passes(&f, 1);
	assert_int_equal(wait_for(&slow), 0);
}

/* Four pieces a second. */
static void a_rate_slows_background_copies_only(void **state)
{
	struct mine slow, quick;

	(void)state;
	copier_limit(copier, 4 * PIECE);
	start(&slow, 0, COPY_BACKGROUND, &from, &one, 3 * PIECE);
	while (copier_progress(copier).sectors < PIECE)
		settle_threads(&f);
	settle_threads(&f);
	assert_int_equal(copier_progress(copier).sectors, PIECE);
	assert_false(slow.over);
	start(&quick, 0, COPY_WAITED, &from, &two, 2 * PIECE);
	assert_int_equal(wait_for(&quick), 0);
	assert_int_equal(copier_progress(copier).sectors, 3 * PIECE);
	time_passes(&f, 1);
	while (copier_progress(copier).sectors < 4 * PIECE)
		settle_threads(&f);
	settle_threads(&f);
	assert_int_equal(copier_progress(copier).sectors, 4 * PIECE);
	copier_limit(copier, 0);
	time_passes(&f, 1);
	assert_int_equal(wait_for(&slow), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_reaches_all_its_places, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_says_which_place_and_where, begin, end),
		cmocka_unit_test_setup_teardown(a_place_may_hold_what_is_read_and_written, begin, end),
		cmocka_unit_test_setup_teardown(more_copies_than_buffers_wait_in_line, begin, end),
		cmocka_unit_test_setup_teardown(background_work_leaves_a_buffer_for_what_is_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(the_throttle_slows_background_copies_only, begin, end),
		cmocka_unit_test_setup_teardown(a_rate_slows_background_copies_only, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
