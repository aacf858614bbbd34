/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a type holds continues from any thread, or is put back to the gate of its device, which may have another table
 * by then.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/path/child.h"
#include "core/path/held.h"
#include "core/path/round.h"
#include "support/world.h"

static struct fixture f;
static uint8_t data[64 * DM_SECTOR], other[64 * DM_SECTOR];

static int one_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static bool gate_is_taken;

/* keeper: what it holds is let go by the test, on the test's thread. */
static struct dm_req *_Atomic kept;

static int keeper_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	r->next = atomic_exchange(&kept, r);
	assert_null(r->next);		/* the tests hold one at a time */
	return DM_HELD;
}

static const struct dm_type keeper = {
	.name = "keeper", .usage = "<device> <offset>", .about = "keeps a request", .size = sizeof(struct dm_at),
	.ctr = one_ctr, .map = keeper_map,
};

static struct dm_req *wait_for_kept(void)
{
	struct dm_req *r;

	while (!(r = atomic_exchange(&kept, NULL)))
		settle_threads(&f);
	return r;
}

static struct dm_device *made(const char *name, const char *table)
{
	char why[ERR_TEXT];
	struct dm_device *d;

	if (create(&f, name, table, why))
		fail_msg("%s", why);
	d = dm_find_name(f.world, name);
	dm_open(d);
	return d;
}

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	memset(data, 0, sizeof(data));
	made("base", "0 64 linear memory,size=1M:a 0");
	made("bad", "0 64 error");
	return 0;
}

static int end(void **state)
{
	struct list *n, *next;

	(void)state;
	list_each(n, next, &f.world->devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		while (d->open_count > d->users)
			dm_close(d);
	}
	fixture_end(&f);
	return 0;
}

static void a_held_request_goes_on_from_any_thread(void **state)
{
	struct dm_device *d = made("d", "0 64 keeper base 0"), *base = dm_find_name(f.world, "base");
	const struct dm_at bad = { .store = made("e", "0 64 linear bad 0")->active->stores[0] };
	struct job j;
	struct dm_req *r;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	job_start(&f, &j, d, 1, DM_WRITE, 0, 8, 2, data);
	r = wait_for_kept();
	dm_go_on(r, dm_remap(r, d->active->targets[0].priv, r->sector + 1));
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(request(&f, base, 0, DM_READ, 0, 9, 1, other), 0);
	assert_int_equal(other[0], 0x5a);
	job_start(&f, &j, d, 1, DM_READ, 0, 0, 1, data);
	dm_go_on(wait_for_kept(), -ENOSPC);
	assert_int_equal(job_wait(&j), -ENOSPC);
	job_start(&f, &j, d, 0, DM_READ, 0, 0, 1, data);
	r = wait_for_kept();
	dm_go_on(r, dm_remap(r, &bad, 0));
	assert_int_equal(job_wait(&j), -EIO);
}

static void suspended(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

/* Suspends the device, puts what it holds back to the gate, loads TABLE and resumes it. */
static void swap_under_a_held_request(const char *name, const char *table)
{
	struct dm_cmd c = { .verb = DM_DO_SUSPEND, .name = name, .flags = DM_WITH_NOFLUSH, .done = suspended };
	struct dm_req *r = wait_for_kept();
	bool done = false;

	assert_int_equal(reload(&f, name, table, NULL), 0);
	c.owner = &done;
	dm_do(f.world, &c);
	settle_threads(&f);		/* the gate is shut, and waits for R */
	assert_false(done);
	dm_go_on(r, DM_PUT_BACK);
	while (!done)
		loop_turn(f.loop, -1);
	assert_int_equal(c.reply.err.code, 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, name, 0, NULL), 0);
}

static void what_is_put_back_is_mapped_by_the_next_table(void **state)
{
	struct dm_device *d = made("d", "0 8 linear base 0\n8 8 keeper base 8\n16 8 linear base 16");
	struct job j;

	(void)state;
	memset(data, 0x77, sizeof(data));
	atomic_store(&kept, NULL);
	job_start(&f, &j, d, 0, DM_WRITE, 0, 4, 16, data);	/* over all three lines: all of it is put back */
	swap_under_a_held_request("d", "0 32 linear base 32");
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 4, 16, other), 0);
	assert_memory_equal(other, data, 16 * DM_SECTOR);
	assert_int_equal(d->lanes[0].inflight, 0);
}

static void one_request_put_back_alone(void **state)
{
	struct dm_device *d = made("d", "0 64 keeper base 0");
	struct job j;

	(void)state;
	memset(data, 0x78, sizeof(data));
	job_start(&f, &j, d, 1, DM_WRITE, 0, 5, 3, data);
	swap_under_a_held_request("d", "0 64 linear base 0");
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 5, 3, other), 0);
	assert_memory_equal(other, data, 3 * DM_SECTOR);
}

static void gate_taken(struct dm_device *d)
{
	(void)d;
	gate_is_taken = true;
}

static void take_gate(struct dm_device *d, enum dm_gate gate)
{
	gate_is_taken = false;
	dm_round(d, gate, false, d->active, gate_taken);
	while (!gate_is_taken)
		loop_turn(f.loop, -1);
}

/* Nor if it was on its way to a store already, or was made a piece for regions. */
static void a_clients_put_back_request_waits_for_the_gate(void **state)
{
	struct dm_device *d = made("d", "0 64 keeper base 0");
	struct dm_cmd regions = { .verb = DM_DO_MESSAGE, .name = "d", .message = "@stats_create - /1 - -" };
	struct dm_req *r;
	struct job j;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		job_start(&f, &j, d, 1, DM_WRITE, 0, 5, 3, data);
		r = wait_for_kept();
		dm_remap(r, d->active->targets[0].priv, r->sector);
		take_gate(d, i ? DM_GATE_INNER : DM_GATE_SHUT);
		dm_go_on(r, DM_PUT_BACK);
		settle_threads(&f);
		take_gate(d, DM_GATE_INNER);	/* it continues, below others */
		settle_threads(&f);
		settle_threads(&f);
		assert_null(atomic_load(&kept));
		take_gate(d, DM_GATE_OPEN);
		r = wait_for_kept();
		dm_go_on(r, dm_remap(r, d->active->targets[0].priv, r->sector));
		assert_int_equal(job_wait(&j), 0);
		assert_int_equal(dm_do_now(f.world, &regions), 0);
		dm_reply_free(&regions.reply);
	}
}

/* The devices above are being drained, and those requests must not wait at the gate. */
static void what_comes_from_above_passes_when_it_is_put_back(void **state)
{
	struct dm_device *d = made("d", "0 64 keeper base 0"), *top = made("top", "0 64 linear d 0");
	struct dm_req *r;
	struct job j;

	(void)state;
	job_start(&f, &j, top, 0, DM_WRITE, 0, 5, 3, data);
	r = wait_for_kept();
	take_gate(d, DM_GATE_INNER);
	dm_go_on(r, DM_PUT_BACK);
	r = wait_for_kept();
	dm_go_on(r, dm_remap(r, d->active->targets[0].priv, r->sector));
	assert_int_equal(job_wait(&j), 0);
	take_gate(d, DM_GATE_OPEN);
}

struct sent {
	struct dm_req r;
	struct loop_msg msg;
	const struct dm_at *at;
	atomic_bool over;
};

static void sent_over(struct dm_req *r, int err)
{
	assert_int_equal(err, 0);
	atomic_store(&container(r, struct sent, r)->over, true);
}

static void sent_send(struct loop_msg *m)
{
	struct sent *s = container(m, struct sent, msg);

	dm_send(&f.world->io[0], s->at, &s->r);
}

static void a_types_own_request_passes_when_it_is_put_back(void **state)
{
	struct dm_device *d = made("d", "0 64 keeper base 0");
	const struct dm_at at = { .store = made("top", "0 64 linear d 0")->active->stores[0] };
	struct sent s = { .r = { .op = DM_WRITE, .sector = 5, .count = 3, .done = sent_over }, .msg.run = sent_send, .at = &at };
	struct dm_req *r;

	(void)state;
	dm_req_buffer(&s.r, data, 3 * DM_SECTOR);
	take_gate(d, DM_GATE_INNER);
	loop_post(f.world->io[0].loop, &s.msg);
	dm_go_on(wait_for_kept(), DM_PUT_BACK);
	r = wait_for_kept();
	dm_go_on(r, dm_remap(r, d->active->targets[0].priv, r->sector));
	while (!atomic_load(&s.over))
		settle_threads(&f);
	take_gate(d, DM_GATE_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_held_request_goes_on_from_any_thread, begin, end),
		cmocka_unit_test_setup_teardown(what_is_put_back_is_mapped_by_the_next_table, begin, end),
		cmocka_unit_test_setup_teardown(one_request_put_back_alone, begin, end),
		cmocka_unit_test_setup_teardown(a_clients_put_back_request_waits_for_the_gate, begin, end),
		cmocka_unit_test_setup_teardown(what_comes_from_above_passes_when_it_is_put_back, begin, end),
		cmocka_unit_test_setup_teardown(a_types_own_request_passes_when_it_is_put_back, begin, end),
	};

	fixture_add_type(&keeper);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
