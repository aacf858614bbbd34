/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a recording: when power may be cut, what may be lost then, and what the disk shows. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "crash/choose.h"
#include "crash/fingerprint.h"
#include "crash/state_disk.h"
#include "support/recorded.h"
#include "targets/log_writes/format.h"

static uint8_t base[RECORDED_SIZE];

/* Two epochs and an end. The third write tears in two; the second and the fourth overlap in the unit of sector 8. */
static void record(struct history *h)
{
	struct recorded r;

	memset(base, 'b', sizeof(base));
	recorded_begin(&r);
	recorded_write(&r, 0, 8, 'A', 0);
	recorded_mark(&r, "one");
	recorded_flush(&r);
	recorded_write(&r, 8, 2, 'K', 0);
	recorded_write(&r, 20, 8, 'P', 0);
	recorded_write(&r, 9, 1, 'Z', 0);
	recorded_mark(&r, "two");
	recorded_flush(&r);
	recorded_discard(&r, 0, 8);
	recorded_end(&r, h);
}

static void cuts_lie_before_flushes_and_at_the_end(void **unused)
{
	struct history h;

	(void)unused;
	record(&h);
	assert_int_equal(h.n_cuts, 3);
	assert_int_equal(h.cuts[0].kind, CUT_FLUSH);
	assert_int_equal(h.cuts[0].last - h.cuts[0].first, 1);
	assert_int_equal(h.cuts[0].marks, 1);
	assert_int_equal(h.cuts[1].first, 1);
	assert_int_equal(h.cuts[1].last, 4);
	assert_int_equal(h.cuts[1].marks, 2);
	assert_int_equal(h.cuts[2].kind, CUT_END);
	assert_int_equal(h.cuts[2].last - h.cuts[2].first, 1);
	assert_string_equal(h.marks[1].text, "two");
	history_free(&h);
}

/* What the log has of an epoch before a write with FUA is durable if it has FUA, too. */
static void a_write_with_fua_is_durable_behind_its_cut_only(void **unused)
{
	struct recorded r;
	struct history h;

	(void)unused;
	recorded_begin(&r);
	recorded_write(&r, 0, 8, 'A', WLOG_FUA);
	recorded_write(&r, 8, 8, 'B', WLOG_FUA);
	recorded_write(&r, 16, 8, 'C', 0);
	recorded_end(&r, &h);
	assert_int_equal(h.n_cuts, 3);
	assert_true(history_is_candidate(&h, &h.cuts[0], 0));
	assert_false(history_is_candidate(&h, &h.cuts[1], 0));
	assert_true(history_is_candidate(&h, &h.cuts[1], 1));
	assert_false(history_is_candidate(&h, &h.cuts[2], 1));
	assert_true(history_is_candidate(&h, &h.cuts[2], 2));
	history_free(&h);
}

static void check_name(const struct history *h, const char *name, const char *again)
{
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;
	struct state s;

	if (state_parse(&s, h, name, &e))
		fail_msg("%s", e.text);
	state_name(&s, &out);
	assert_string_equal(text_str(&out), again);
	text_free(&out);
	state_free(&s);
}

static void names_of_states_lead_back_to_them(void **unused)
{
	struct history h;

	(void)unused;
	record(&h);
	check_name(&h, "1", "1");
	check_name(&h, "1-2", "1-2");
	check_name(&h, "1-1,3", "1-1,3");
	check_name(&h, "1-2-3", "1-2-3");
	check_name(&h, "1-2.2,3", "1-2.2,3");
	check_name(&h, "1-1-3", "1-all");
	check_name(&h, "1-all", "1-all");
	check_name(&h, "after", "after");
	history_free(&h);
}

static void what_is_not_a_state_is_refused(void **unused)
{
	static const char *const bad[] = { "", "x", "3", "-1", "1-", "1-4", "1-0", "1-3-2", "1-2.3", "1-1,", "1x", "99999999999999999999" };
	struct err e = ERR_INIT;
	struct history h;
	struct state s;
	size_t i;

	(void)unused;
	record(&h);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!state_parse(&s, &h, bad[i], &e))
			fail_msg("'%s' is taken", bad[i]);
	history_free(&h);
}

/* The first byte of a sector. */
static char shown(struct state_disk *d, uint64_t sector)
{
	char bytes[512];

	state_disk_read(d, sector * 512, bytes, sizeof(bytes));
	return bytes[0];
}

static void become(struct state_disk *d, const struct history *h, const char *name)
{
	struct err e = ERR_INIT;
	struct state s;

	assert_int_equal(state_parse(&s, h, name, &e), 0);
	assert_int_equal(state_disk_become(d, &s), 0);
	state_free(&s);
}

static void a_disk_shows_the_durable_content_and_what_survived(void **unused)
{
	struct state_disk *d;
	struct history h;

	(void)unused;
	record(&h);
	assert_int_equal(state_disk_new(&d, &h, base), 0);
	become(d, &h, "1-1,2.2");
	assert_int_equal(shown(d, 0), 'A');
	assert_int_equal(shown(d, 7), 'H');
	assert_int_equal(shown(d, 8), 'b');
	assert_int_equal(shown(d, 9), 'Z');
	assert_int_equal(shown(d, 20), 'P');
	assert_int_equal(shown(d, 23), 'S');
	assert_int_equal(shown(d, 24), 'b');
	become(d, &h, "0-all");
	assert_int_equal(shown(d, 0), 'b');
	become(d, &h, "2");
	assert_int_equal(shown(d, 0), 0);
	assert_int_equal(shown(d, 8), 'K');
	become(d, &h, "2-all");
	assert_int_equal(shown(d, 0), 'A');
	state_disk_free(d);
	history_free(&h);
}

static void what_is_written_to_a_state_is_its_own(void **unused)
{
	struct state_disk *d;
	struct history h;

	(void)unused;
	record(&h);
	assert_int_equal(state_disk_new(&d, &h, base), 0);
	become(d, &h, "1");
	assert_int_equal(state_disk_write(d, 8 * 512, "new", 3), 0);
	assert_int_equal(state_disk_zero(d, 9 * 512, RECORDED_SIZE - 9 * 512), 0);
	assert_int_equal(shown(d, 8), 'n');
	assert_int_equal(shown(d, 7), 'H');
	assert_int_equal(shown(d, RECORDED_SIZE / 512 - 1), 0);
	assert_int_equal(base[8 * 512], 'b');
	become(d, &h, "1");
	assert_int_equal(shown(d, 8), 'K');
	assert_int_equal(shown(d, RECORDED_SIZE / 512 - 1), 'b');
	state_disk_free(d);
	history_free(&h);
}

/* A unit shows all that was written to it before: sector 9 cannot be new while sector 8, written earlier, is old. */
static void a_unit_is_never_torn(void **unused)
{
	struct err e = ERR_INIT;
	struct history h;
	struct state s;

	(void)unused;
	record(&h);
	assert_int_equal(state_parse(&s, &h, "1-1", &e), 0);
	assert_int_equal(state_settle(&s, &e), 0);
	assert_int_equal(state_lost_writes(&s), 0);
	state_free(&s);
	assert_int_equal(state_parse(&s, &h, "1-1,3", &e), 0);
	assert_int_equal(state_settle(&s, &e), 0);
	assert_int_equal(state_lost_writes(&s), 2);
	state_free(&s);
	history_free(&h);
}

static bool has(const struct chosen *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->names[i], name))
			return true;
	return false;
}

/*
 * Cut 1 has units 1, 2 and 3 with 3, 2 and 2 versions: 12 states. Of the others each has two; but all of cut 2 without its discard
 * is cut 1 without a loss, and as many marks were given.
 */
static void all_states_of_a_small_recording_are_chosen_once(void **unused)
{
	const struct choose_options o = { .states = 100 };
	struct err e = ERR_INIT;
	struct chosen c;
	struct history h;

	(void)unused;
	record(&h);
	assert_int_equal(choose(&c, &h, base, &o, &e), 0);
	assert_int_equal(c.n, 2 + 12 + 1);
	assert_true(c.same > 0);
	assert_true(has(&c, "0") && has(&c, "0-all") && has(&c, "1") && has(&c, "1-all") && has(&c, "2"));
	assert_true(has(&c, "1-2.1") && has(&c, "1-1,3") && has(&c, "1-3"));
	assert_false(has(&c, "1-1"));
	chosen_free(&c);
	history_free(&h);
}

static void many_writes(struct history *h)
{
	struct recorded r;
	uint64_t i;

	recorded_begin(&r);
	for (i = 0; i < 60; i++) {
		recorded_write(&r, i * 16, 16, (unsigned char)i, 0);
		if (i % 20 == 19)
			recorded_flush(&r);
	}
	recorded_end(&r, h);
}

static void the_choice_depends_on_the_seed_alone(void **unused)
{
	struct choose_options o = { .states = 50, .seed = 7 };
	struct chosen a, b, other;
	struct err e = ERR_INIT;
	struct history h;
	size_t i, differ = 0;

	(void)unused;
	many_writes(&h);
	assert_int_equal(choose(&a, &h, base, &o, &e), 0);
	assert_int_equal(choose(&b, &h, base, &o, &e), 0);
	o.seed = 8;
	assert_int_equal(choose(&other, &h, base, &o, &e), 0);
	assert_int_equal(a.n, b.n);
	for (i = 0; i < a.n; i++)
		assert_string_equal(a.names[i], b.names[i]);
	for (i = 0; i < a.n; i++)
		differ += !has(&other, a.names[i]);
	assert_true(differ > 40);
	/* Between the ends as many as were wanted; the end is the third flush without a loss. */
	assert_int_equal(a.n, 50 + 6 - 2);
	chosen_free(&a);
	chosen_free(&b);
	chosen_free(&other);
	history_free(&h);
}

static bool disk_shows(const struct state_disk *d, uint64_t at, uint8_t what)
{
	uint8_t byte;

	state_disk_read(d, at, &byte, 1);
	return byte == what;
}

static void discarding_a_disk_takes_no_memory(void **unused)
{
	const struct history h = { .size = UINT64_C(256) << 20, .unit = 4096 };
	uint8_t *below = malloc(h.size);
	struct state_disk *d;
	size_t before;

	(void)unused;
	memset(below, 'b', h.size);
	assert_int_equal(state_disk_new(&d, &h, below), 0);
	assert_int_equal(state_disk_write(d, 5 << 20, "x", 1), 0);
	before = mallinfo2().uordblks;
	assert_int_equal(state_disk_zero(d, 4096, h.size - 8192), 0);
	assert_in_range(mallinfo2().uordblks, 0, before + (16u << 20));
	assert_true(disk_shows(d, 4095, 'b') && disk_shows(d, 4096, 0) && disk_shows(d, 5 << 20, 0) && disk_shows(d, 100 << 20, 0));
	assert_true(disk_shows(d, h.size - 4097, 0) && disk_shows(d, h.size - 4096, 'b'));
	assert_int_equal(state_disk_write(d, 100 << 20, "y", 1), 0);
	assert_true(disk_shows(d, 100 << 20, 'y') && disk_shows(d, (100 << 20) + 1, 0));
	state_disk_free(d);
	free(below);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lie_before_flushes_and_at_the_end),
		cmocka_unit_test(a_write_with_fua_is_durable_behind_its_cut_only),
		cmocka_unit_test(names_of_states_lead_back_to_them),
		cmocka_unit_test(what_is_not_a_state_is_refused),
		cmocka_unit_test(a_disk_shows_the_durable_content_and_what_survived),
		cmocka_unit_test(what_is_written_to_a_state_is_its_own),
		cmocka_unit_test(a_unit_is_never_torn),
		cmocka_unit_test(all_states_of_a_small_recording_are_chosen_once),
		cmocka_unit_test(the_choice_depends_on_the_seed_alone),
		cmocka_unit_test(discarding_a_disk_takes_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
