/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits to be logged: a durable write takes along what it has written over, and looks for that only where it may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "targets/log_writes/pending.h"

#define MANY 16384u		/* as many as fit into a log's memory */
#define PAGES 131072u		/* 512 MiB */

static struct block blocks[2 * MANY];
static struct pending p;
static uint64_t dice;

/* The model: what waits, in the order of completion. A durable write is due with all that waits up to the last one it overlaps. */
static const struct block *waiting[MANY];
static unsigned n_waiting;

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	dice = 13;
	n_waiting = 0;
	return pending_new(&p, &e);
}

static int end(void **state)
{
	(void)state;
	pending_free(&p);
	return 0;
}

static uint64_t roll(uint64_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (dice >> 33) % n;
}

static struct block *block(unsigned i, uint64_t sector, uint64_t count)
{
	blocks[i] = (struct block){ .sector = sector, .count = count };
	blocks_init(&blocks[i].covers);
	return &blocks[i];
}

static bool overlap(const struct block *a, const struct block *b)
{
	return a->sector < b->sector + b->count && b->sector < a->sector + a->count;
}

static void due_is(const struct block *b)
{
	struct block *got = blocks_take(&p.due);

	assert_ptr_equal(got, b);
}

static void first_are_due(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		due_is(waiting[i]);
	memmove(waiting, waiting + n, (n_waiting - n) * sizeof(waiting[0]));
	n_waiting -= n;
}

static void writes_durably(struct block *b)
{
	unsigned i, n = 0;

	for (i = 0; i < n_waiting; i++)
		if (overlap(waiting[i], b))
			n = i + 1;
	pending_durable(&p, b);
	first_are_due(n);
	due_is(b);
	assert_null(p.due.first);
}

static void writes(struct block *b)
{
	pending_wrote(&p, b);
	waiting[n_waiting++] = b;
	assert_null(p.due.first);
}

/* Sectors of a small disk, long discards among them; a flush is under way for a while, so that what waits is in more than one list. */
static void durable_write_takes_what_it_overlaps_and_no_more(void **state)
{
	unsigned i, kind;
	struct block *flush = NULL;
	uint64_t n_flushed = 0;

	(void)state;
	for (i = 0; i < 2000; i++) {
		struct block *b = block(i, roll(40000), 1 + roll(16));

		kind = (unsigned)roll(16);
		if (kind == 0)
			b->count = 3000;
		if (kind < 10) {
			writes(b);
		} else if (kind < 14) {
			unsigned before = n_waiting;

			writes_durably(b);
			n_flushed -= before - n_waiting < n_flushed ? before - n_waiting : n_flushed;
		} else if (!flush) {
			flush = b;
			n_flushed = n_waiting;
			pending_flush_begins(&p, flush);
		} else {
			pending_flushed(&p, flush);
			first_are_due((unsigned)n_flushed);
			due_is(flush);
			flush = NULL;
		}
	}
}

/* Under the log's lock, so it must not take the time of a look at each block that waits. */
static void durable_write_elsewhere_hardly_ever_searches(void **state)
{
	unsigned i, searches = 0, elsewhere = 0;

	(void)state;
	for (i = 0; i < MANY; i++)
		pending_wrote(&p, block(i, roll(PAGES / 2) * 8, 8));
	for (; i < 2 * MANY; i++) {
		elsewhere++;
		searches += recent_overlaps(&p.recent, block(i, (PAGES / 2 + roll(PAGES / 2)) * 8, 8), 1);
	}
	assert_in_range(searches, 0, elsewhere / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(durable_write_takes_what_it_overlaps_and_no_more, begin, end),
		cmocka_unit_test_setup_teardown(durable_write_elsewhere_hardly_ever_searches, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
