/* SPDX-License-Identifier: BSD-2-Clause */
/* A table is swapped again and again while every thread has requests under way: none is lost. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#define THREADS 3

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

/* A flood of requests, on sectors of its own for every thread, that continues by itself until it is told to stop. */
struct flood {
	struct dm_req req;
	struct dm_device *d;
	struct dm_io *io;
	struct loop_msg msg;
	_Atomic bool stop;
	_Atomic unsigned n;
	bool over;
	int err;
	uint32_t seed;
	uint8_t data[4 * 512];
};

static void flood_next(struct loop_msg *m);

static void flood_over(struct loop_msg *m)
{
	container(m, struct flood, msg)->over = true;
}

static void flood_done(struct dm_req *r, int err)
{
	struct flood *x = container(r, struct flood, req);

	x->n++;
	if (err)
		x->err = err;
	x->msg.run = x->stop || err ? flood_over : flood_next;
	loop_post(x->stop || err ? f.loop : x->io->loop, &x->msg);
}

static void flood_next(struct loop_msg *m)
{
	struct flood *x = container(m, struct flood, msg);

	x->seed = x->seed * 1664525 + 1013904223;
	x->req = (struct dm_req){ .op = x->seed >> 30 ? DM_WRITE : DM_READ, .sector = 20 * x->io->index + (x->seed >> 8) % 16, .count = 4,
				  .done = flood_done };
	dm_req_buffer(&x->req, x->data, sizeof(x->data));
	dm_submit(x->io, x->d, &x->req);
}

static void swapping_under_load_loses_nothing(void **state)
{
	static const char *const tables[] = {
		"0 64 linear memory,size=64K:a 0",
		"0 32 linear memory,size=64K:a 0\n32 32 linear memory,size=64K:b 0",
		"0 64 striped 2 8 memory,size=64K:a 0 memory,size=64K:b 0",
		"0 64 zero",
	};
	static struct flood floods[THREADS];
	struct dm_device *d;
	unsigned i;

	(void)state;
	create(&f, "d", tables[0], NULL);
	d = open_device(&f, "d");
	for (i = 0; i < THREADS; i++) {
		memset(&floods[i], 0, sizeof(floods[i]));
		floods[i].d = d;
		floods[i].io = &f.world->io[i];
		floods[i].seed = i;
		floods[i].msg.run = flood_next;
		loop_post(floods[i].io->loop, &floods[i].msg);
	}
	for (i = 0; i < 300; i++) {
		assert_int_equal(reload(&f, "d", tables[i % 4], NULL), 0);
		if (i % 3 == 0)
			assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", i % 2 ? DM_WITH_NOFLUSH : 0, NULL), 0);
		assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	}
	for (i = 0; i < THREADS; i++)
		floods[i].stop = true;
	for (i = 0; i < THREADS; i++) {
		while (!floods[i].over)
			loop_turn(f.loop, -1);
		assert_int_equal(floods[i].err, 0);
		assert_true(floods[i].n > 0);
	}
	dm_close(d);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(swapping_under_load_loses_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
