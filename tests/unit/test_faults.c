/* SPDX-License-Identifier: BSD-2-Clause */
/* What people are told about failed requests: which, where, why, how often; and what the counters say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/place.h"
#include "support/world.h"

#define THREADS 2

static struct fixture f;
static char path[PLACE_PATH], table[2 * PLACE_PATH];
static uint8_t data[64 * 512];

static int begin(void **state)
{
	(void)state;
	place_begin();
	fixture_stop_clock();
	fixture_begin(&f, THREADS, AIO_AUTO);
	place_file(path, "disk.img", 2048 * 512);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	place_end();
	return 0;
}

static struct dm_device *made(const char *name, const char *lines)
{
	char why[ERR_TEXT];

	if (create(&f, name, lines, why))
		fail_msg("%s", why);
	dm_open(dm_find_name(f.world, name));
	return dm_find_name(f.world, name);
}

/* The sentences that come with V; %s in FORMAT is the file's path. */
static void told(enum dm_verb v, const char *name, const char *format)
{
	struct dm_cmd c = { .verb = v, .name = name };
	char wanted[2000];

	snprintf(wanted, sizeof(wanted), format, path, path, path);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_string_equal(text_str(&c.reply.warnings), wanted);
	dm_reply_free(&c.reply);
}

static uint64_t errors(const struct dm_device *d, enum dm_op op)
{
	struct dm_stats s = { 0 };

	dm_device_stats(d, &s);
	return s.errors[op];
}

static void the_file_the_sector_and_the_reason_are_told(void **state)
{
	struct dm_device *d;

	(void)state;
	snprintf(table, sizeof(table), "0 1024 linear %s 384\n1024 8 error", path);
	d = made("vd", table);
	told(DM_DO_STATUS, "vd", "");
	assert_int_equal(truncate(path, 128 * 512), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1000, 1, data), -EIO);
	told(DM_DO_STATUS, "vd", "read of sector 1000 (%s, sector 1384) failed: the file ends at sector 128 (0 seconds ago)\n");
	time_passes(&f, 1);
	told(DM_DO_STATUS, "vd", "read of sector 1000 (%s, sector 1384) failed: the file ends at sector 128 (1 second ago)\n");
	time_passes(&f, 2);
	assert_int_equal(request(&f, d, 1, DM_WRITE, 0, 8, 8, data), -EIO);
	told(DM_DO_INFO, "vd", "read of sector 1000 (%s, sector 1384) failed: the file ends at sector 128 (3 seconds ago)\n"
	     "write of sectors 8 to 15 (%s, sectors 392 to 399) failed: the file ends at sector 128 (0 seconds ago)\n");
	told(DM_DO_TABLE, "vd", "");
	dm_close(d);
}

static void what_lines_and_devices_refuse_is_told(void **state)
{
	struct dm_device *d = made("bad", "0 64 error"), *top = made("top", "0 32 linear bad 8\n32 32 zero");

	(void)state;
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 5, 1, data), -EIO);
	told(DM_DO_STATS, "bad", "read of sector 5 failed: the table line has type error (0 seconds ago)\n");
	assert_int_equal(request(&f, top, 0, DM_DISCARD, 0, 30, 4, NULL), -EIO);
	assert_int_equal(request(&f, top, 0, DM_READ, 0, 64, 1, data), -EIO);
	told(DM_DO_STATUS, "top", "discard of sectors 30 to 31 (device bad) failed: the table line has type error "
	     "(0 seconds ago)\nread of sector 64 failed: the device ends before that (0 seconds ago)\n");
	told(DM_DO_STATUS, "bad", "read of sector 5 failed: the table line has type error (0 seconds ago)\n");
	dm_close(d);
	dm_close(top);
}

/* A request of which many pieces fail is one that failed: for its client, and in what is reported. */
static void a_request_fails_once(void **state)
{
	struct dm_device *d;

	(void)state;
	made("bad", "0 64 error");
	d = made("d", "0 64 striped 2 1 bad 0 bad 32");
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 64, data), -EIO);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 0, 64, data), -EIO);
	assert_int_equal(errors(d, DM_READ), 2);
	told(DM_DO_STATUS, "d", "read of sector 0 (device bad) failed: the table line has type error "
	     "(2 like it, the last 0 seconds ago)\n");
	dm_close(d);
	dm_close(dm_find_name(f.world, "bad"));
}

/* Read-ahead, extent requests, and what cannot be done fast, are not failures of a device. */
static void what_no_client_sees_is_not_told(void **state)
{
	struct dm_device *d = made("bad", "0 64 error");

	(void)state;
	assert_int_equal(request(&f, d, 0, DM_READ, DM_AHEAD, 0, 64, data), -EIO);
	request(&f, d, 0, DM_EXTENT, 0, 0, 64, NULL);
	assert_int_equal(errors(d, DM_READ), 0);
	told(DM_DO_STATUS, "bad", "");
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 64, data), -EIO);
	assert_int_equal(errors(d, DM_READ), 1);
	dm_close(d);
}

static void another_table_begins_anew(void **state)
{
	struct dm_device *d = made("bad", "0 64 error");
	struct dm_cmd c = { .verb = DM_DO_STATS, .name = "bad", .flags = DM_WITH_RESET };

	(void)state;
	request(&f, d, 0, DM_READ, 0, 0, 1, data);
	reload(&f, "bad", "0 64 zero", NULL);
	verb(&f, DM_DO_RESUME, "bad", 0, NULL);
	told(DM_DO_STATUS, "bad", "");
	reload(&f, "bad", "0 64 error", NULL);
	verb(&f, DM_DO_RESUME, "bad", 0, NULL);
	request(&f, d, 0, DM_READ, 0, 0, 1, data);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_non_null(strstr(text_str(&c.reply.warnings), "failed"));
	dm_reply_free(&c.reply);
	told(DM_DO_STATUS, "bad", "");
	dm_close(d);
}

static void failures_on_all_threads_are_all_counted(void **state)
{
	struct dm_device *d = made("bad", "0 64 error");
	struct job jobs[THREADS][100];
	unsigned i, k;

	(void)state;
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < 100; k++)
			job_start(&f, &jobs[i][k], d, i, k % 2 ? DM_READ : DM_WRITE, 0, k % 64, 1, data);
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < 100; k++)
			assert_int_equal(job_wait(&jobs[i][k]), -EIO);
	assert_int_equal(errors(d, DM_READ) + errors(d, DM_WRITE), 200);
	{
		struct dm_cmd c = { .verb = DM_DO_STATUS, .name = "bad" };

		run(&f, &c, NULL);
		assert_non_null(strstr(text_str(&c.reply.warnings), "read of sector"));
		assert_non_null(strstr(text_str(&c.reply.warnings), "write of sector"));
		assert_non_null(strstr(text_str(&c.reply.warnings), "(100 like it"));
		dm_reply_free(&c.reply);
	}
	dm_close(d);
}

/* A request that fails, and is submitted again by its own thread, which tells nobody. */
struct again {
	struct dm_req req;
	struct dm_device *d;
	struct dm_io *io;
	struct loop_msg msg;
	unsigned left;
	bool over;
};

static void again_over(struct loop_msg *m)
{
	container(m, struct again, msg)->over = true;
}

static void again_next(struct loop_msg *m);

static void again_done(struct dm_req *r, int err)
{
	struct again *x = container(r, struct again, req);

	(void)err;
	x->msg.run = --x->left ? again_next : again_over;
	loop_post(x->left ? x->io->loop : f.loop, &x->msg);
}

static void again_next(struct loop_msg *m)
{
	struct again *x = container(m, struct again, msg);

	x->req = (struct dm_req){ .op = DM_READ, .sector = 2, .count = 4, .done = again_done };
	dm_req_buffer(&x->req, data, 4 * 512);
	dm_submit(x->io, x->d, &x->req);
}

/* ThreadSanitizer sees whether the name is read while it is written; here it is one of both, and whole. */
static void a_device_is_renamed_while_its_requests_fail(void **state)
{
	static const char *const names[] = { "a-rather-long-name", "short" };
	struct dm_device *low = made(names[0], "0 64 error"), *d;
	struct dm_cmd status = { .verb = DM_DO_STATUS, .name = "upper" };
	struct again x = { .io = &f.world->io[1], .msg.run = again_next, .left = 2000 };
	unsigned i;

	(void)state;
	x.d = d = made("upper", "0 4 linear /dev/mapper/a-rather-long-name 0\n4 4 linear /dev/mapper/a-rather-long-name 4");
	loop_post(x.io->loop, &x.msg);
	for (i = 0; i < 100; i++) {
		struct dm_cmd c = { .verb = DM_DO_RENAME, .name = names[i % 2], .new_name = names[1 - i % 2] };

		assert_int_equal(run(&f, &c, NULL), 0);
	}
	while (!x.over)
		loop_turn(f.loop, -1);
	assert_int_equal(run(&f, &status, NULL), 0);
	if (!strstr(text_str(&status.reply.warnings), "(device a-rather-long-name)") &&
	    !strstr(text_str(&status.reply.warnings), "(device short)"))
		fail_msg("%s", text_str(&status.reply.warnings));
	dm_reply_free(&status.reply);
	dm_close(d);
	dm_close(low);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_file_the_sector_and_the_reason_are_told, begin, end),
		cmocka_unit_test_setup_teardown(what_lines_and_devices_refuse_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_request_fails_once, begin, end),
		cmocka_unit_test_setup_teardown(what_no_client_sees_is_not_told, begin, end),
		cmocka_unit_test_setup_teardown(another_table_begins_anew, begin, end),
		cmocka_unit_test_setup_teardown(failures_on_all_threads_are_all_counted, begin, end),
		cmocka_unit_test_setup_teardown(a_device_is_renamed_while_its_requests_fail, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
