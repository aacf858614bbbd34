/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells: a chunk has one owner, the others wait in order, each on its own thread, until they are let go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/kit/cells.h"
#include "support/world.h"

#define CHUNKS 16u
#define OWNERS 24u
#define ROUNDS 400u

static struct fixture f;
static struct cells *all;

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fixture_begin(&f, 3, AIO_AUTO);
	if (cells_new(&all, 4, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	(void)state;
	cells_free(all);
	fixture_end(&f);
	return 0;
}

struct waiter {
	struct cell cell;
	int got;			/* -1: nothing yet */
	unsigned place;
};

static unsigned places;

static void note(struct cell *c, enum cell_verdict v)
{
	struct waiter *w = container(c, struct waiter, cell);

	w->got = v;
	w->place = ++places;
}

static int take(struct waiter *w, uint64_t chunk)
{
	*w = (struct waiter){ .cell = { .got = note, .home = f.loop, .chunk = chunk }, .got = -1 };
	return cell_take(all, &w->cell);
}

static void the_next_in_line_holds_it(void **state)
{
	struct waiter one, two, three, other;

	(void)state;
	places = 0;
	assert_int_equal(take(&one, 5), CELL_HELD);
	assert_int_equal(take(&other, 9), CELL_HELD);		/* in the same bucket */
	assert_int_equal(take(&two, 5), -EINPROGRESS);
	assert_int_equal(take(&three, 5), -EINPROGRESS);
	cell_give(all, &one.cell);
	settle_threads(&f);
	assert_int_equal(two.got, CELL_HELD);
	assert_int_equal(three.got, -1);
	cell_give(all, &two.cell);
	settle_threads(&f);
	assert_int_equal(three.got, CELL_HELD);
	cell_give(all, &three.cell);
	cell_give(all, &other.cell);
	assert_int_equal(take(&one, 5), CELL_HELD);
	cell_give(all, &one.cell);
}

static void all_go_on_when_it_is_open(void **state)
{
	struct waiter one, two, three;

	(void)state;
	places = 0;
	assert_int_equal(take(&one, 5), CELL_HELD);
	assert_int_equal(take(&two, 5), -EINPROGRESS);
	assert_int_equal(take(&three, 5), -EINPROGRESS);
	cell_open(all, &one.cell);
	settle_threads(&f);
	assert_int_equal(two.got, CELL_OPEN);
	assert_int_equal(three.got, CELL_OPEN);
	assert_true(two.place < three.place);
	assert_int_equal(take(&one, 5), CELL_HELD);
	cell_give(all, &one.cell);
}

static void who_waits_is_turned_away_and_nobody_waits_then(void **state)
{
	struct waiter one, two, other, third;

	(void)state;
	assert_int_equal(take(&one, 5), CELL_HELD);
	assert_int_equal(take(&other, 6), CELL_HELD);
	assert_int_equal(take(&two, 5), -EINPROGRESS);
	cells_turn_away(all);
	settle_threads(&f);
	assert_int_equal(two.got, CELL_BACK);
	assert_int_equal(one.got, -1);
	assert_int_equal(take(&two, 5), CELL_BACK);
	assert_int_equal(take(&third, 7), CELL_HELD);		/* what is free is given */
	cells_let_wait(all);
	assert_int_equal(take(&two, 5), -EINPROGRESS);
	cell_give(all, &one.cell);
	settle_threads(&f);
	assert_int_equal(two.got, CELL_HELD);
	cell_give(all, &two.cell);
	cell_give(all, &other.cell);
	cell_give(all, &third.cell);
}

static enum cell_verdict pair_got;
static unsigned pairs;

static void note_pair(struct cell_pair *p, enum cell_verdict v)
{
	(void)p;
	pair_got = v;
	pairs++;
}

/* Whatever happens while taking the second chunk, the first one is not kept. */
static void a_pair_holds_both_or_none(void **state)
{
	struct cell_pair p = { .got = note_pair };
	struct waiter low, high;

	(void)state;
	pairs = 0;
	assert_int_equal(cells_take_both(all, &p, 8, 3, f.loop), CELL_HELD);
	assert_int_equal(take(&low, 3), -EINPROGRESS);
	cells_give_both(&p);
	settle_threads(&f);
	assert_int_equal(low.got, CELL_HELD);
	assert_int_equal(take(&high, 8), CELL_HELD);
	assert_int_equal(cells_take_both(all, &p, 3, 8, f.loop), -EINPROGRESS);
	cell_give(all, &low.cell);
	settle_threads(&f);
	assert_int_equal(pairs, 0);
	cell_open(all, &high.cell);
	settle_threads(&f);
	assert_int_equal(pairs, 1);
	assert_int_equal(pair_got, CELL_OPEN);
	assert_int_equal(take(&low, 3), CELL_HELD);
	cell_give(all, &low.cell);
	assert_int_equal(cells_take_both(all, &p, 3, 3, f.loop), CELL_HELD);
	cells_open_both(&p);
	assert_int_equal(take(&low, 3), CELL_HELD);
	cell_give(all, &low.cell);
}

/* An owner on an io thread: repeatedly takes two chunks, checks that it is alone there, and returns them. */
struct owner {
	struct cell_pair pair;
	struct loop_msg msg;
	struct dm_io *io;
	uint32_t seed;
	unsigned rounds;
	bool hold;
};

static unsigned in_chunk[CHUNKS];	/* guarded by the cells themselves, which ThreadSanitizer checks */
static atomic_uint owners_left, turned_away;

static void owner_post(struct owner *o)
{
	loop_post(o->io->loop, &o->msg);
}

static void owner_use(struct owner *o)
{
	if (in_chunk[o->pair.low.chunk]++ || (o->pair.low.chunk != o->pair.high.chunk && in_chunk[o->pair.high.chunk]++))
		abort();
	o->hold = true;
	owner_post(o);
}

static void owner_got(struct cell_pair *p, enum cell_verdict v)
{
	struct owner *o = container(p, struct owner, pair);

	if (v == CELL_HELD) {
		owner_use(o);
		return;
	}
	if (v == CELL_BACK)
		atomic_fetch_add(&turned_away, 1);
	owner_post(o);
}

static void owner_leave(struct owner *o)
{
	o->hold = false;
	in_chunk[o->pair.low.chunk]--;
	if (o->pair.low.chunk != o->pair.high.chunk)
		in_chunk[o->pair.high.chunk]--;
	if (o->rounds % 2)
		cells_give_both(&o->pair);
	else
		cells_open_both(&o->pair);
}

static void owner_step(struct loop_msg *m)
{
	struct owner *o = container(m, struct owner, msg);
	int r;

	if (o->hold)
		owner_leave(o);
	if (o->rounds++ >= ROUNDS && atomic_load(&turned_away)) {	/* the control thread had the processor meanwhile */
		atomic_fetch_sub(&owners_left, 1);
		return;
	}
	o->seed = o->seed * 1664525u + 1013904223u;
	r = cells_take_both(all, &o->pair, (o->seed >> 8) % CHUNKS, (o->seed >> 16) % CHUNKS, o->io->loop);
	if (r != -EINPROGRESS)
		owner_got(&o->pair, (enum cell_verdict)r);
}

static void several_threads_never_hold_one_chunk_together(void **state)
{
	static struct owner owners[OWNERS];
	unsigned i;

	(void)state;
	atomic_store(&owners_left, OWNERS);
	for (i = 0; i < OWNERS; i++) {
		owners[i] = (struct owner){ .pair.got = owner_got, .msg.run = owner_step, .io = &f.world->io[i % 3],
					    .seed = i };
		owner_post(&owners[i]);
	}
	for (i = 0; atomic_load(&owners_left); i++) {
		settle_threads(&f);
		if (i % 4 == 0)
			cells_turn_away(all);
		if (i % 4 == 1)
			cells_let_wait(all);
	}
	cells_let_wait(all);
	for (i = 0; i < CHUNKS; i++)
		assert_int_equal(in_chunk[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_next_in_line_holds_it, begin, end),
		cmocka_unit_test_setup_teardown(all_go_on_when_it_is_open, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_is_turned_away_and_nobody_waits_then, begin, end),
		cmocka_unit_test_setup_teardown(a_pair_holds_both_or_none, begin, end),
		cmocka_unit_test_setup_teardown(several_threads_never_hold_one_chunk_together, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
