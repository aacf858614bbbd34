/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a power cut leaves: random workloads are cut at random moments, and an oracle that was written from the model's words
 * alone, unit by unit, says whether each state is allowed, and which ones there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "targets/powercut/survive.h"

enum { OPS = 40, DISK = 64 };		/* requests of a workload; sectors */

static uint64_t dice;

static unsigned roll(unsigned n)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(dice >> 33) % n;
}

/* Requests are taken in turn, at 100, 200 and so on; they begin before that and end after it, perhaps much later, or never. */
static void workload(struct survive_op *ops, size_t n, unsigned disk)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct survive_op *o = &ops[i];
		uint64_t at = 100 * (i + 1);

		*o = (struct survive_op){ .began = at - roll(roll(3) ? 50 : 90), .ended = at + roll(roll(3) ? 50 : 500) };
		if (!roll(8))
			o->ended = SURVIVE_NEVER;
		o->flush = !roll(6);
		o->fua = !o->flush && !roll(5);
		o->first = o->flush ? 0 : roll(disk);
		o->count = o->flush ? 0 : 1 + roll(disk - (unsigned)o->first);
	}
}

static bool touches(const struct survive_op *o, unsigned unit, uint64_t u)
{
	uint64_t s;

	for (s = o->first; !o->flush && s < o->first + o->count; s++)
		if (s / unit == u)
			return true;
	return false;
}

static bool happened(const struct survive_op *o, uint64_t cut)
{
	return o->ended < cut;
}

static bool durable(const struct survive_op *ops, size_t n, size_t i, uint64_t cut)
{
	size_t f;

	if (ops[i].fua && happened(&ops[i], cut))
		return true;
	for (f = 0; f < n; f++)
		if (ops[f].flush && happened(&ops[f], cut) && ops[i].ended < ops[f].began)
			return true;
	return false;
}

/* Version V of unit U, where 0 is before all of OPS. */
static bool allowed(const struct survive_op *ops, size_t n, uint64_t cut, unsigned unit, uint64_t u, size_t v)
{
	size_t i;

	if (v && (!touches(&ops[v - 1], unit, u) || ops[v - 1].began >= cut))
		return false;
	for (i = v; i < n; i++)
		if (touches(&ops[i], unit, u) && durable(ops, n, i, cut))
			return false;
	return true;
}

static size_t oldest_allowed(const struct survive_op *ops, size_t n, uint64_t cut, unsigned unit, uint64_t u)
{
	size_t v = 0;

	while (!allowed(ops, n, cut, unit, u, v))
		v++;
	return v;
}

static size_t newest_allowed(const struct survive_op *ops, size_t n, uint64_t cut, unsigned unit, uint64_t u)
{
	size_t v = n;

	while (!allowed(ops, n, cut, unit, u, v))
		v--;
	return v;
}

/* The state of the whole disk, asked unit by unit. */
static void state_of(const struct survive_set *s, const struct survive_draw *d, size_t *state, unsigned units)
{
	uint64_t u, same;
	size_t i;

	memset(state, 0, units * sizeof(*state));
	for (i = 0; i < s->n; i++)
		for (u = s->spans[i].first; u < s->spans[i].first + s->spans[i].units; u++)
			state[u] = survive_version(s, d, &s->spans[i], u, &same);
}

/* The same, with as few questions as `same` says are needed. */
static void state_in_runs(const struct survive_set *s, const struct survive_draw *d, size_t *state)
{
	uint64_t u, same, end;
	size_t i, v;

	for (i = 0; i < s->n; i++)
		for (u = s->spans[i].first; u < s->spans[i].first + s->spans[i].units;) {
			v = survive_version(s, d, &s->spans[i], u, &same);
			assert_true(same);
			for (end = u + same; u < end; u++)
				state[u] = v;
		}
}

/* Version 0 is what the durable requests make of a unit: the oracle's oldest one. */
static size_t as_the_oracle_counts(const struct survive_op *ops, size_t n, uint64_t cut, unsigned unit, uint64_t u, size_t v)
{
	return v ? v : oldest_allowed(ops, n, cut, unit, u);
}

static void check_state(const struct survive_op *ops, uint64_t cut, unsigned unit, const struct survive_draw *d, const size_t *state)
{
	uint64_t u;

	for (u = 0; u < DISK / unit; u++) {
		size_t v = as_the_oracle_counts(ops, OPS, cut, unit, u, state[u]);

		assert_true(allowed(ops, OPS, cut, unit, u, v));
		if (d->mode == SURVIVE_LOST)
			assert_int_equal(v, oldest_allowed(ops, OPS, cut, unit, u));
		if (d->mode == SURVIVE_KEPT)
			assert_int_equal(v, newest_allowed(ops, OPS, cut, unit, u));
	}
}

static void check_cut(const struct survive_op *ops, uint64_t cut, unsigned unit)
{
	size_t state[DISK], runs[DISK];
	struct survive_set s;
	struct survive_draw d;
	unsigned mode;

	assert_int_equal(survive_open(&s, ops, OPS, cut, unit), 0);
	for (mode = 0; mode < SURVIVE_MODES; mode++) {
		survive_draw(&d, mode, dice, s.oldest, s.newest);
		state_of(&s, &d, state, DISK / unit);
		memcpy(runs, state, sizeof(runs));
		state_in_runs(&s, &d, runs);
		assert_memory_equal(runs, state, DISK / unit * sizeof(*state));
		check_state(ops, cut, unit, &d, state);
	}
	survive_close(&s);
}

static void every_state_is_one_that_the_promise_allows(void **state)
{
	static const unsigned units[] = { 1, 4, 8, 16 };
	struct survive_op ops[OPS];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 300; i++) {
		workload(ops, OPS, DISK);
		for (k = 0; k < 12; k++)
			check_cut(ops, roll(100 * OPS + 600), units[roll(4)]);
	}
}

/* The states of three units with versions up to 7, as bits. */
static uint64_t bit_of(const size_t *v)
{
	return UINT64_C(1) << (v[0] * 16 + v[1] * 4 + v[2]) % 64;
}

static uint64_t all_allowed(const struct survive_op *ops, size_t n, uint64_t cut)
{
	uint64_t all = 0;
	size_t v[3];

	for (v[0] = 0; v[0] <= n; v[0]++)
		for (v[1] = 0; v[1] <= n; v[1]++)
			for (v[2] = 0; v[2] <= n; v[2]++)
				if (allowed(ops, n, cut, 1, 0, v[0]) && allowed(ops, n, cut, 1, 1, v[1]) &&
				    allowed(ops, n, cut, 1, 2, v[2]))
					all |= bit_of(v);
	return all;
}

static uint64_t reached(const struct survive_op *ops, size_t n, uint64_t cut, enum survive_mode mode, unsigned seeds, uint64_t all)
{
	struct survive_set s;
	struct survive_draw d;
	uint64_t seen = 0, u;
	unsigned seed;

	assert_int_equal(survive_open(&s, ops, n, cut, 1), 0);
	for (seed = 0; seed < seeds && seen != all; seed++) {
		size_t v[3];

		survive_draw(&d, mode, seed, s.oldest, s.newest);
		state_of(&s, &d, v, 3);
		for (u = 0; u < 3; u++)
			v[u] = as_the_oracle_counts(ops, n, cut, 1, u, v[u]);
		seen |= bit_of(v);
	}
	survive_close(&s);
	return seen;
}

/* Three requests on three sectors: 64 states at most. */
static void all_allowed_states_of_small_workloads_are_reached(void **state)
{
	struct survive_op ops[3];
	unsigned i;

	(void)state;
	for (i = 0; i < 400; i++) {
		uint64_t cut, all;

		workload(ops, 3, 3);
		cut = roll(500);
		all = all_allowed(ops, 3, cut);
		assert_true(reached(ops, 3, cut, SURVIVE_TORN, 20000, all) == all);
		assert_true(reached(ops, 3, cut, SURVIVE_ANY, 40000, all) == all);
	}
}

/* Three whole writes to three overlapping pairs of sectors: what an order of its own reaches and a subset cannot. */
static void an_order_of_the_disks_own_leaves_what_no_subset_does(void **state)
{
	static const struct survive_op ops[] = {
		{ .first = 0, .count = 2, .began = 0, .ended = 1 },
		{ .first = 1, .count = 2, .began = 2, .ended = 3 },
		{ .first = 0, .count = 3, .began = 4, .ended = 5 },
	};
	size_t first_is_last[] = { 1, 1, 3 };	/* the third, then the first */

	(void)state;
	assert_true(reached(ops, 3, 9, SURVIVE_REORDERED, 5000, ~UINT64_C(0)) & bit_of(first_is_last));
	assert_false(reached(ops, 3, 9, SURVIVE_SUBSET, 5000, ~UINT64_C(0)) & bit_of(first_is_last));
}

/* In all modes but torn, a request is there as a whole or not at all. */
static void requests_are_torn_only_if_the_mode_says_so(void **state)
{
	struct survive_req r = { 5, 100, 7 };
	struct survive_draw d;
	unsigned seed, mode, i, torn = 0;

	(void)state;
	for (mode = 0; mode < SURVIVE_ANY; mode++)
		for (seed = 0; seed < 500; seed++) {
			survive_draw(&d, mode, seed, 3, 9);
			for (i = 1; i < 7; i++)
				torn += mode == SURVIVE_TORN && survive_rank(&d, &r, 100) != survive_rank(&d, &r, 100 + i);
			for (i = 1; mode != SURVIVE_TORN && i < 7; i++)
				assert_int_equal(survive_rank(&d, &r, 100), survive_rank(&d, &r, 100 + i));
		}
	assert_true(torn);
}

static void a_prefix_has_no_gap(void **state)
{
	struct survive_req r = { .first = 0, .units = 1 };
	struct survive_draw d;
	unsigned seed, ends = 0;
	bool before;

	(void)state;
	for (seed = 0; seed < 500; seed++) {
		survive_draw(&d, SURVIVE_PREFIX, seed, 10, 20);
		before = true;
		for (r.number = 10; r.number <= 20; r.number++) {
			bool there = survive_rank(&d, &r, 0);

			assert_false(there && !before);
			before = there;
		}
		ends |= 1u << (d.end - 10);
	}
	assert_int_equal(ends, (1u << 12) - 1);		/* none to all of them */
}

/* A request of 2^40 units is torn into few pieces: nobody asks for each unit. */
static void a_large_request_has_few_pieces(void **state)
{
	struct survive_req r = { 0, 0, UINT64_C(1) << 40 };
	struct survive_draw d;
	unsigned seed;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		uint64_t u = 0;
		unsigned n = 0;

		survive_draw(&d, SURVIVE_TORN, seed, 0, 0);
		for (; u < r.units; n++)
			u += survive_same(&d, &r, u);
		assert_int_equal(u, r.units);
		assert_in_range(n, 1, 64);
	}
}

/* The same on every machine, and for ever: what a seed has found, it finds again. */
static void a_seed_means_the_same_everywhere(void **state)
{
	struct survive_draw d;
	char got[64 + 1] = "";
	unsigned i, mode;

	(void)state;
	assert_true(survive_next_seed(0) == UINT64_C(0xe220a8397b1dcdaf));	/* splitmix64's first number for the seed 0 */
	for (mode = SURVIVE_PREFIX; mode < SURVIVE_ANY; mode++)
		for (i = 0; i < 16; i++) {
			struct survive_req r = { i / 4, 8, 4 };

			survive_draw(&d, mode, 42, 0, 3);
			got[(mode - SURVIVE_PREFIX) * 16 + i] = survive_rank(&d, &r, 8 + i % 4) ? '1' : '0';
		}
	assert_string_equal(got,
			    "1111111100000000" "1111111111110000" "1111000011111111" "1000110011100000");
}

static void modes_have_names(void **state)
{
	unsigned mode;

	(void)state;
	for (mode = 0; mode < SURVIVE_MODES; mode++)
		assert_int_equal(survive_mode_find(survive_mode_name(mode)), mode);
	assert_int_equal(survive_mode_find("some"), SURVIVE_MODES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_one_that_the_promise_allows),
		cmocka_unit_test(all_allowed_states_of_small_workloads_are_reached),
		cmocka_unit_test(an_order_of_the_disks_own_leaves_what_no_subset_does),
		cmocka_unit_test(requests_are_torn_only_if_the_mode_says_so),
		cmocka_unit_test(a_prefix_has_no_gap),
		cmocka_unit_test(a_large_request_has_few_pieces),
		cmocka_unit_test(a_seed_means_the_same_everywhere),
		cmocka_unit_test(modes_have_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
