/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns, and the reserve that they have their memory from: who waits for whom, in which order, and who is put back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "core/device/step.h"
#include "core/kit/turns.h"
#include "support/world.h"

#define CHUNK 8u
#define JOBS 5u

static struct fixture f;
static struct dm_device *d;
static struct turn *_Atomic has[JOBS];	/* that have their turn and have not ended it, by order */
static atomic_uint n_got;
static uint64_t order[3 * JOBS];	/* sectors */

static void has_turn(struct turn *t)
{
	unsigned n = atomic_load(&n_got);

	order[n] = t->req->sector;
	atomic_store(&has[n % JOBS], t);
	atomic_store(&n_got, n + 1);
}

/* takes: requests take turns, at most two at a time have memory. */
static int takes_ctr(struct dm_target *t, struct dm_args *a)
{
	struct turns **all = t->priv;

	if (dm_args_may_reserve(a) && turns_new(all, 2, sizeof(struct turn), has_turn, a->err))
		a->failed = true;
	return dm_args_end(a);
}

static void takes_dtr(struct dm_target *t)
{
	turns_free(*(struct turns **)t->priv);
}

static int takes_map(const struct dm_target *t, struct dm_req *r)
{
	return turn_take(*(struct turns **)t->priv, r, r->sector / CHUNK);
}

static bool turned_away;

static void takes_presuspend(struct dm_target *t, struct dm_step *s)
{
	turned_away = s->noflush;
	if (s->noflush)
		turns_turn_away(*(struct turns **)t->priv);
	dm_step_done(s, 0);
}

static void takes_resume(struct dm_target *t, struct dm_step *s)
{
	turns_let_wait(*(struct turns **)t->priv);
	dm_step_done(s, 0);
}

static const struct dm_type takes_type = {
	.name = "takes", .usage = "", .about = "takes turns", .size = 64, .ctr = takes_ctr, .dtr = takes_dtr, .map = takes_map,
	.presuspend = takes_presuspend, .resume = takes_resume,
};

static int begin(void **state)
{
	(void)state;
	atomic_store(&n_got, 0);
	fixture_begin(&f, 1, AIO_AUTO);
	d = make_device(&f, "d", "0 64 takes");
	dm_open(d);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(d);
	fixture_end(&f);
	return 0;
}

static void start(struct job *jobs, const uint64_t *sectors)
{
	static uint8_t data[DM_SECTOR];
	unsigned i;

	for (i = 0; i < JOBS; i++)
		job_start(&f, &jobs[i], d, 0, DM_WRITE, 0, sectors[i], 1, data);
	settle_threads(&f);
	settle_threads(&f);
}

/* The N-th turn, counted from 0, when it has begun. */
static void end_turn(unsigned n)
{
	while (atomic_load(&n_got) <= n)
		settle_threads(&f);
	turn_end(atomic_load(&has[n % JOBS]), DM_DONE);
}

static void wait_for(struct job *jobs)
{
	unsigned i;

	for (i = 0; i < JOBS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
}

/* Two of different chunks work; the others wait for memory, in their order. */
static void memory_is_given_in_order(void **state)
{
	static const uint64_t sectors[JOBS] = { 0, 8, 16, 24, 32 };
	struct job jobs[JOBS];
	unsigned i;

	(void)state;
	start(jobs, sectors);
	assert_int_equal(atomic_load(&n_got), 2);
	for (i = 0; i < JOBS; i++)
		end_turn(i);
	wait_for(jobs);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(order[i], sectors[i]);
}

static void a_chunk_is_one_requests_at_a_time(void **state)
{
	static const uint64_t sectors[JOBS] = { 0, 1, 2, 3, 4 };
	struct job jobs[JOBS];
	unsigned i;

	(void)state;
	start(jobs, sectors);
	for (i = 0; i < JOBS; i++) {
		settle_threads(&f);
		assert_true(atomic_load(&n_got) <= i + 1);
		end_turn(i);
	}
	wait_for(jobs);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(order[i], sectors[i]);
}

struct pending {
	struct dm_cmd c;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

/* One works, one waits for its chunk, three for memory: a suspend that waits for no disk waits for the first one only. */
static void those_that_wait_are_put_back(void **state)
{
	static const uint64_t sectors[JOBS] = { 0, 1, 2, 9, 10 };
	struct pending p = { .c = { .verb = DM_DO_SUSPEND, .name = "d", .flags = DM_WITH_NOFLUSH, .done = pending_over } };
	struct job jobs[JOBS];
	unsigned i;

	(void)state;
	start(jobs, sectors);
	assert_int_equal(atomic_load(&n_got), 1);
	turned_away = false;
	dm_do(f.world, &p.c);
	while (!turned_away)
		loop_turn(f.loop, -1);
	settle_threads(&f);
	assert_false(p.over);
	end_turn(0);
	while (!p.over)
		loop_turn(f.loop, -1);
	assert_int_equal(p.c.reply.err.code, 0);
	assert_int_equal(job_wait(&jobs[0]), 0);
	assert_int_equal(atomic_load(&n_got), 1);
	assert_int_equal(d->state, DM_SUSPENDED);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	for (i = 1; i < JOBS; i++)
		end_turn(i);
	wait_for(jobs);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(memory_is_given_in_order),
		CASE(a_chunk_is_one_requests_at_a_time),
		CASE(those_that_wait_are_put_back),
	};

	fixture_add_type(&takes_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
