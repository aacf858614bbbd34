/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worked example, doc/example/keepold.c: two io threads write the same chunk while a read is in flight, and the
 * device is suspended meanwhile. And its turns, with more writes than there are turns.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

#define CHUNK 8u
#define BYTES (CHUNK * 512u)
#define MANY 300u

extern const struct sample sample_keepold;

static struct fixture f;
static struct dm_device *d;

static void begin_with(const char *table)
{
	disk_reset();
	memset(disk_bytes(0), 'o', 64 * BYTES);
	sample_world(&f, &sample_keepold);
	assert_int_equal(create(&f, "bad", "0 2048 error", NULL), 0);
	d = make_device(&f, "d", table);
	dm_open(d);
}

static int begin(void **state)
{
	(void)state;
	begin_with("0 512 keepold disk:0 0 disk:1 0");
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(d);
	fixture_end(&f);
	return 0;
}

struct pending {
	struct dm_cmd c;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static void suspend_begin(struct pending *p, uint32_t flags)
{
	*p = (struct pending){ .c = { .verb = DM_DO_SUSPEND, .name = "d", .flags = flags, .done = pending_over } };
	dm_do(f.world, &p->c);
	settle_threads(&f);
}

static void suspend_end(struct pending *p)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	assert_int_equal(p->c.reply.err.code, 0);
	dm_reply_free(&p->c.reply);
}

/* A request passes through several messages before it is held. */
static void wait_until_held(unsigned n)
{
	while (disk_held() != n)
		settle_threads(&f);
}

static bool is_all(const uint8_t *data, char c)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		if (data[i] != (uint8_t)c)
			return false;
	return true;
}

struct writer {
	struct job job;
	uint8_t data[BYTES];
};

static void write_begin(struct writer *w, unsigned io, char c, unsigned chunk)
{
	memset(w->data, c, BYTES);
	job_start(&f, &w->job, d, io, DM_WRITE, 0, chunk * CHUNK, CHUNK, w->data);
}

static void two_writes_a_read_and_a_suspend(uint32_t flags)
{
	struct writer one, two, late;
	uint8_t data[BYTES];
	struct job read;
	struct pending suspend;

	disk_hold(0);
	job_start(&f, &read, d, 1, DM_READ, 0, 3 * CHUNK, CHUNK, data);
	settle_threads(&f);
	write_begin(&one, 0, '1', 3);
	write_begin(&two, 1, '2', 3);
	wait_until_held(2);		/* the read, and the copy's read */
	suspend_begin(&suspend, flags);
	write_begin(&late, 0, 'l', 3);
	settle_threads(&f);
	assert_false(suspend.over || one.job.over || two.job.over || read.over);
	disk_let_go();
	suspend_end(&suspend);
	assert_int_equal(job_wait(&read) | job_wait(&one.job) | job_wait(&two.job), 0);
	assert_true(is_all(data, 'o') || is_all(data, '1') || is_all(data, '2'));
	assert_true(is_all(disk_bytes(1) + 3 * BYTES, 'o'));
	assert_true(is_all(disk_bytes(0) + 3 * BYTES, '1') || is_all(disk_bytes(0) + 3 * BYTES, '2'));
	assert_int_equal(disk_writes(), 3);	/* it was copied only once */
	assert_false(late.job.over);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&late.job), 0);
	assert_true(is_all(disk_bytes(0) + 3 * BYTES, 'l'));
	assert_int_equal(disk_writes(), 4);
}

static void a_suspend_waits_for_the_copy(void **state)
{
	(void)state;
	two_writes_a_read_and_a_suspend(0);
}

static void and_so_does_one_without_flush(void **state)
{
	(void)state;
	two_writes_a_read_and_a_suspend(DM_WITH_NOFLUSH);
}

/* While a chunk is copied, it can be read, and others can be written. */
static void only_writes_of_that_chunk_wait(void **state)
{
	struct writer one, two;
	uint8_t data[BYTES];

	(void)state;
	write_begin(&two, 0, '0', 2);
	assert_int_equal(job_wait(&two.job), 0);
	disk_hold(1);
	write_begin(&one, 0, '1', 3);
	wait_until_held(1);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 3 * CHUNK, CHUNK, data), 0);
	assert_true(is_all(data, 'o'));
	write_begin(&two, 1, '2', 2);
	assert_int_equal(job_wait(&two.job), 0);
	assert_false(one.job.over);
	disk_let_go();
	assert_int_equal(job_wait(&one.job), 0);
}

/* There are more writes than turns: the rest wait, and each chunk is copied once, before anything is written to it. */
static void many_writes_take_turns(void **state)
{
	static struct writer w[MANY];
	unsigned i;

	(void)state;
	disk_hold(1);
	for (i = 0; i < MANY; i++)
		write_begin(&w[i], i % 2, (char)('A' + i % 26), i * 7 % 64);
	settle_threads(&f);
	disk_let_go();
	for (i = 0; i < MANY; i++)
		assert_int_equal(job_wait(&w[i].job), 0);
	for (i = 0; i < 64; i++)
		assert_true(is_all(disk_bytes(1) + i * BYTES, 'o'));
	assert_int_equal(disk_writes(), MANY + 64);
}

static void a_copy_that_fails_fails_its_write(void **state)
{
	struct writer one, two;
	uint8_t data[BYTES];

	(void)state;
	end(NULL);
	begin_with("0 512 keepold disk:0 0 bad 0");
	write_begin(&one, 0, '1', 3);
	write_begin(&two, 1, '2', 3);
	assert_int_equal(job_wait(&one.job), -EIO);
	assert_int_equal(job_wait(&two.job), -EIO);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 3 * CHUNK, CHUNK, data), 0);
	assert_true(is_all(data, 'o'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_suspend_waits_for_the_copy, begin, end),
		cmocka_unit_test_setup_teardown(and_so_does_one_without_flush, begin, end),
		cmocka_unit_test_setup_teardown(only_writes_of_that_chunk_wait, begin, end),
		cmocka_unit_test_setup_teardown(many_writes_take_turns, begin, end),
		cmocka_unit_test_setup_teardown(a_copy_that_fails_fails_its_write, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
