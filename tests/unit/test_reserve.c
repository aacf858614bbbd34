/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserves: who comes first gets an object, who comes too late waits in line, and nobody waits who has been turned away. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/kit/reserve.h"
#include "support/world.h"

#define THREADS 3u
#define OBJECTS 2u
#define SIZE 100u
#define MANY 40u	/* requests of each thread */
#define ROUNDS 500u

static struct fixture f;
static struct reserve *all;

/* A request, and what it was given later. */
struct guest {
	struct dm_req req;
	void *object;
	unsigned got;			/* how often */
	unsigned place;			/* in the order of all */
	bool wrong;			/* thread, or own[0] */
	unsigned rounds;
	struct loop_msg msg;
};

static _Atomic unsigned places, in_use, most, over;

/* Whose thread this is: that of the first request that was given something here. */
static _Thread_local const struct dm_io *here;

static void got(void *arg, struct dm_req *r, void *object)
{
	struct guest *g = container(r, struct guest, req);

	assert_ptr_equal(arg, &f);
	g->object = object;
	g->got++;
	g->place = atomic_fetch_add(&places, 1);
	g->wrong |= (here && here != r->io) || r->own[0] != g;
	here = r->io;
}

static void begin_with(unsigned n, reserve_got *how)
{
	struct err e = ERR_INIT;

	fixture_begin(&f, THREADS, AIO_AUTO);
	assert_int_equal(reserve_new(&all, n, SIZE, how, &f, &e), 0);
	atomic_store(&places, 0);
}

static int begin(void **state)
{
	(void)state;
	begin_with(OBJECTS, got);
	return 0;
}

static int end(void **state)
{
	(void)state;
	reserve_free(all);
	fixture_end(&f);
	return 0;
}

static void *take(struct guest *g, unsigned io)
{
	memset(g, 0, sizeof(*g));
	g->req.io = &f.world->io[io];
	g->req.own[0] = g;
	return reserve_take(all, &g->req);
}

static void objects_are_apart_and_have_their_size(void **state)
{
	struct guest a, b;
	char *x = take(&a, 0), *y = take(&b, 1);

	(void)state;
	assert_non_null(x);
	assert_non_null(y);
	assert_true(x + SIZE <= y || y + SIZE <= x);
	assert_int_equal((uintptr_t)x % _Alignof(max_align_t), 0);
	assert_int_equal((uintptr_t)y % _Alignof(max_align_t), 0);
	memset(x, 1, SIZE);
	memset(y, 2, SIZE);
	reserve_give(all, x);
	reserve_give(all, y);
	settle_threads(&f);
	assert_int_equal(a.got + b.got, 0);
	x = take(&a, 0);
	y = take(&b, 0);
	assert_true(x && y && x != y);
	reserve_give(all, x);
	reserve_give(all, y);
}

static void who_comes_too_late_waits_in_line(void **state)
{
	struct guest a, b, late[3];
	void *x = take(&a, 0), *y = take(&b, 0);
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_null(take(&late[i], i));
	settle_threads(&f);
	assert_int_equal(atomic_load(&places), 0);
	reserve_give(all, y);
	settle_threads(&f);
	assert_int_equal(late[0].got, 1);
	assert_ptr_equal(late[0].object, y);
	assert_int_equal(late[1].got + late[2].got, 0);
	reserve_give(all, x);
	settle_threads(&f);
	reserve_give(all, late[0].object);
	settle_threads(&f);
	for (i = 0; i < 3; i++) {
		assert_int_equal(late[i].got, 1);
		assert_int_equal(late[i].place, i);
		assert_false(late[i].wrong);
	}
	assert_ptr_equal(late[1].object, x);
	assert_ptr_equal(late[2].object, y);
	reserve_give(all, x);
	reserve_give(all, y);
}

static void nobody_waits_who_is_turned_away(void **state)
{
	struct guest a, b, waits, comes, again;
	void *x = take(&a, 0), *y = take(&b, 1);

	(void)state;
	assert_null(take(&waits, 2));
	reserve_turn_away(all);
	assert_null(take(&comes, 0));
	settle_threads(&f);
	assert_int_equal(waits.got, 1);
	assert_null(waits.object);
	assert_int_equal(comes.got, 1);
	assert_null(comes.object);
	assert_false(waits.wrong || comes.wrong);

	/* What is free is still given, and holders keep what they have. */
	reserve_give(all, x);
	assert_ptr_equal(take(&again, 0), x);
	reserve_let_wait(all);
	assert_null(take(&waits, 1));
	settle_threads(&f);
	assert_int_equal(waits.got, 0);
	reserve_give(all, y);
	settle_threads(&f);
	assert_ptr_equal(waits.object, y);
	reserve_give(all, x);
	reserve_give(all, y);
}

/* --- many at once --------------------------------------------------------------------------------------------------------- */

static void guest_goes(struct loop_msg *m);

/* Its object is its own, whoever else takes and gives meanwhile. */
static void guest_has(struct guest *g, unsigned *object)
{
	unsigned now = atomic_fetch_add(&in_use, 1) + 1;

	if (now > atomic_load(&most))
		atomic_store(&most, now);
	object[0] = object[SIZE / sizeof(*object) - 1] = g->place;
	g->wrong |= object[0] != g->place || object[SIZE / sizeof(*object) - 1] != g->place;
	atomic_fetch_sub(&in_use, 1);
	reserve_give(all, object);
	if (++g->rounds == ROUNDS) {
		atomic_fetch_add(&over, 1);
		return;
	}
	g->msg.run = guest_goes;
	loop_post(g->req.io->loop, &g->msg);
}

static void guest_got(void *arg, struct dm_req *r, void *object)
{
	(void)arg;
	guest_has(container(r, struct guest, req), object);
}

static void guest_goes(struct loop_msg *m)
{
	struct guest *g = container(m, struct guest, msg);
	void *object = reserve_take(all, &g->req);

	if (object)
		guest_has(g, object);
}

static void many_threads_share_few_objects(void **state)
{
	static struct guest guests[THREADS][MANY];
	unsigned i, k;

	(void)state;
	begin_with(OBJECTS, guest_got);
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < MANY; k++) {
			struct guest *g = &guests[i][k];

			*g = (struct guest){ .req.io = &f.world->io[i], .place = i * MANY + k, .msg.run = guest_goes };
			loop_post(f.world->io[i].loop, &g->msg);
		}
	while (atomic_load(&over) < THREADS * MANY)
		settle_threads(&f);
	assert_true(atomic_load(&most) <= OBJECTS);
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < MANY; k++)
			assert_false(guests[i][k].wrong);
	reserve_free(all);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_are_apart_and_have_their_size, begin, end),
		cmocka_unit_test_setup_teardown(who_comes_too_late_waits_in_line, begin, end),
		cmocka_unit_test_setup_teardown(nobody_waits_who_is_turned_away, begin, end),
		cmocka_unit_test(many_threads_share_few_objects),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
