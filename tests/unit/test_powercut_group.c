/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several disks lose their power at one instant: clients on all io threads keep all of them busy, every end of a request is
 * stamped, and none that went well is stamped after one that was refused, on whichever disk.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/above.h"
#include "support/world.h"
#include "targets/powercut/power.h"

enum { DISKS = 3, THREADS = 3, DEPTH = 4, CLIENTS = DISKS * THREADS * DEPTH, CUTS = 60 };

static const char *const names[DISKS] = { "a", "b", "c" };

struct client {
	struct dm_req req;
	struct loop_msg msg;
	struct dm_io *io;
	struct dm_device *device;
	uint8_t data[8 * 512];
	uint64_t first;			/* its sectors are nobody else's: who reads what another one writes may see anything */
	uint32_t dice;
};

static struct {
	struct fixture f;
	struct client clients[CLIENTS];
	atomic_uint stamps;
	_Atomic unsigned last_good, first_refused;
	atomic_uint running, good;
} s;

static void keep_highest(_Atomic unsigned *of, unsigned v)
{
	unsigned old = atomic_load(of);

	while (v > old && !atomic_compare_exchange_weak(of, &old, v))
		;
}

static void keep_lowest(_Atomic unsigned *of, unsigned v)
{
	unsigned old = atomic_load(of);

	while (v < old && !atomic_compare_exchange_weak(of, &old, v))
		;
}

static void client_done(struct dm_req *r, int err)
{
	struct client *c = container(r, struct client, req);
	unsigned stamp = atomic_fetch_add(&s.stamps, 1);

	if (err) {
		assert_int_equal(err, -EIO);
		keep_lowest(&s.first_refused, stamp);
		atomic_fetch_sub(&s.running, 1);
		return;
	}
	keep_highest(&s.last_good, stamp);
	atomic_fetch_add(&s.good, 1);
	loop_post(c->io->loop, &c->msg);
}

static void client_go(struct loop_msg *m)
{
	static const enum dm_op ops[] = { DM_WRITE, DM_WRITE, DM_READ, DM_FLUSH };
	struct client *c = container(m, struct client, msg);

	c->dice = c->dice * 1664525u + 1013904223u;
	c->req = (struct dm_req){ .op = ops[c->dice >> 30], .done = client_done, .sector = c->first + (c->dice >> 20 & 15) * 8, .count = 8 };
	c->req.flags = c->req.op == DM_WRITE && (c->dice >> 15 & 3) == 0 ? DM_FUA : 0;
	dm_req_buffer(&c->req, c->data, sizeof(c->data));
	dm_io_tick(c->io);
	dm_submit(c->io, c->device, &c->req);
}

static void clients_start(void)
{
	unsigned i;

	atomic_store(&s.stamps, 1);
	atomic_store(&s.last_good, 0);
	atomic_store(&s.first_refused, UINT32_MAX);
	atomic_store(&s.running, CLIENTS);
	atomic_store(&s.good, 0);
	for (i = 0; i < CLIENTS; i++) {
		struct client *c = &s.clients[i];

		c->io = &s.f.world->io[i % THREADS];
		c->device = dm_find_name(s.f.world, names[i / THREADS % DISKS]);
		c->first = i / (THREADS * DISKS) * THREADS * 128 + i % THREADS * 128;
		c->dice += i * 7919 + 1;
		c->msg.run = client_go;
		loop_post(c->io->loop, &c->msg);
	}
}

static int power(enum dm_verb v, const char *message, char *why)
{
	struct dm_cmd c = { .verb = v, .names = names, .n_names = DISKS, .message = message };
	int r = run(&s.f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static void begin(void)
{
	char line[128];
	unsigned i;

	memset(&s, 0, sizeof(s));
	fixture_begin(&s.f, THREADS, AIO_AUTO);
	make_device(&s.f, "slow", "0 2048 delay memory,size=1M:slow 0 1");
	for (i = 0; i < DISKS; i++) {
		snprintf(line, sizeof(line), "0 2048 powercut %s%s 0 seed 1", i ? "memory,size=1M:" : "", i ? names[i] : "slow");
		dm_open(make_device(&s.f, names[i], line));
	}
}

static void end(void)
{
	unsigned i;

	for (i = 0; i < DISKS; i++)
		dm_close(dm_find_name(s.f.world, names[i]));
	fixture_end(&s.f);
}

static void wait_for_good(unsigned n)
{
	while (atomic_load(&s.good) < n)
		loop_turn(s.f.loop, 1);
}

static void wait_for_all(void)
{
	while (atomic_load(&s.running))
		loop_turn(s.f.loop, 1);
}

static void no_request_ends_well_after_one_was_refused(void **state)
{
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	begin();
	for (i = 0; i < CUTS; i++) {
		clients_start();
		wait_for_good(200 + i * 10);
		if (power(DM_DO_CUT, i % 2 ? "any" : "lost", why))
			fail_msg("%s", why);
		wait_for_all();
		assert_true(atomic_load(&s.last_good) < atomic_load(&s.first_refused));
		if (power(DM_DO_RESTORE, NULL, why))
			fail_msg("%s", why);
	}
	end();
}

static bool is_cut(const char *name)
{
	char *status = rows(&s.f, DM_DO_STATUS, name, 0);
	bool cut = strstr(status, " powercut cut ");

	free(status);
	return cut;
}

/* One that cannot be cut, or restored, keeps all of them as they are. */
static void all_are_cut_and_restored_or_none(void **state)
{
	struct dm_cmd one = { .verb = DM_DO_CUT, .name = "b" };
	const char *some[] = { "a", "plain" };
	struct dm_cmd wrong = { .verb = DM_DO_CUT, .names = some, .n_names = 2 };
	char why[ERR_TEXT];

	(void)state;
	begin();
	make_device(&s.f, "plain", "0 8 zero");
	assert_int_equal(run(&s.f, &wrong, why), -EINVAL);
	assert_non_null(strstr(why, "'plain' has no line whose power can be cut"));
	dm_reply_free(&wrong.reply);
	assert_int_equal(power(DM_DO_CUT, "sometimes", why), -EINVAL);
	assert_int_equal(run(&s.f, &one, why), 0);
	dm_reply_free(&one.reply);
	assert_int_equal(power(DM_DO_CUT, NULL, why), -EALREADY);
	assert_false(is_cut("a") || is_cut("c"));
	assert_int_equal(power(DM_DO_RESTORE, NULL, why), -EINVAL);
	assert_true(is_cut("b"));
	one.verb = DM_DO_RESTORE;
	assert_int_equal(run(&s.f, &one, why), 0);
	dm_reply_free(&one.reply);
	assert_int_equal(power(DM_DO_CUT, NULL, why), 0);
	assert_true(is_cut("a") && is_cut("b") && is_cut("c"));
	dm_write_begin(dm_find_name(s.f.world, "c"));
	assert_int_equal(power(DM_DO_RESTORE, NULL, why), -EBUSY);
	assert_true(is_cut("a") && is_cut("b") && is_cut("c"));
	dm_write_end(dm_find_name(s.f.world, "c"));
	assert_int_equal(power(DM_DO_RESTORE, NULL, why), 0);
	assert_false(is_cut("a") || is_cut("b") || is_cut("c"));
	end();
}

/* A message that came between a trigger's write and what that has posted. */
static void a_trigger_and_a_message_cut_once(void **state)
{
	struct dm_cmd cut = { .verb = DM_DO_MESSAGE, .name = "a", .message = "cut" };
	char why[ERR_TEXT];

	(void)state;
	begin();
	power_trip(power_line(&dm_find_name(s.f.world, "a")->active->targets[0])->disk);
	assert_int_equal(run(&s.f, &cut, why), 0);
	dm_reply_free(&cut.reply);
	settle_threads(&s.f);
	assert_true(is_cut("a"));
	assert_int_equal(s.f.world->n_tours, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_request_ends_well_after_one_was_refused),
		cmocka_unit_test(all_are_cut_and_restored_or_none),
		cmocka_unit_test(a_trigger_and_a_message_cut_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
