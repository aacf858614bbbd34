/* SPDX-License-Identifier: BSD-2-Clause */
/* Types that take only the first part of a request, create children of it, or commit at a flush; each is a few lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/path/held.h"
#include "support/world.h"

static struct fixture f;
static uint8_t data[64 * DM_SECTOR], other[64 * DM_SECTOR];

static int one_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

/* bites: takes three sectors at a time. */
static atomic_uint bites;

static int bites_map(const struct dm_target *t, struct dm_req *r)
{
	if (r->count > 3) {
		r->count = 3;
		return DM_PART;
	}
	atomic_fetch_add(&bites, 1);
	return dm_remap(r, t->priv, r->sector);
}

/* A faulty type: its part is everything, or nothing. */
static int greedy_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	if (r->op == DM_READ)
		r->count = 0;
	return DM_PART;
}

static const struct dm_type greedy_type = {
	.name = "greedy", .usage = "<device> <offset>", .about = "takes no part", .size = sizeof(struct dm_at),
	.ctr = one_ctr, .map = greedy_map,
};

static const struct dm_type bites_type = {
	.name = "bites", .usage = "<device> <offset>", .about = "three sectors at a time", .size = sizeof(struct dm_at),
	.ctr = one_ctr, .map = bites_map,
};

/* twin: writes go to two places, and if one fails it is forgiven; reads use the second place if the first one fails. */
struct twin {
	struct dm_at legs[2];
	bool flushed;
};

static int twin_ctr(struct dm_target *t, struct dm_args *a)
{
	struct twin *w = t->priv;

	w->legs[0] = dm_arg_at(a, t->len);
	w->legs[1] = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static int twin_map(const struct dm_target *t, struct dm_req *r)
{
	const struct twin *w = t->priv;
	struct dm_req *c[2];
	unsigned i, n = r->op == DM_READ ? 1 : 2;

	r->own[0] = NULL;	/* how many children have failed */
	if (dm_children(r, c, n))
		return -ENOMEM;
	for (i = 0; i < n; i++)
		c[i]->own[0] = (void *)(uintptr_t)i;
	for (i = 0; i < n; i++)
		dm_send(r->io, &w->legs[i], c[i]);
	return DM_HELD;
}

static int twin_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	const struct twin *w = t->priv;
	uintptr_t failed = (uintptr_t)r->own[0] + 1;

	if (!err)
		return 0;
	r->own[0] = (void *)failed;
	if (r->op == DM_READ && c->own[0] == NULL) {
		c->own[0] = (void *)1;
		c->sector = r->sector;
		dm_send(c->io, &w->legs[1], c);
		return DM_HELD;
	}
	return failed == 2 ? err : 0;
}

static const struct dm_type twin_type = {
	.name = "twin", .usage = "<device> <offset> <device> <offset>", .about = "two legs", .size = sizeof(struct twin),
	.ctr = twin_ctr, .map = twin_map, .child = twin_child,
};

/* commits: a flush is held and counted, and it is recorded whose it was. */
static atomic_uint commits, own_commits;

static int commits_map(const struct dm_target *t, struct dm_req *r)
{
	return dm_remap(r, t->priv, r->sector);
}

static int commits_flush(const struct dm_target *t, struct dm_req *r)
{
	atomic_fetch_add(r->flags & DM_OWN ? &own_commits : &commits, 1);
	dm_remap(r, t->priv, 0);
	dm_go_on(r, DM_REMAPPED);
	return DM_HELD;
}

static const struct dm_type commits_type = {
	.name = "commits", .usage = "<device> <offset>", .about = "commits at a flush", .size = sizeof(struct dm_at),
	.ctr = one_ctr, .map = commits_map, .flush = commits_flush,
};

/* retries: one child fails and the other asks for another try of the whole request, which goes to one place. */
static unsigned tries;

static int retries_map(const struct dm_target *t, struct dm_req *r)
{
	const struct twin *w = t->priv;
	struct dm_req *c[2];
	unsigned i;

	if (tries++)
		return dm_remap(r, &w->legs[1], r->sector);
	if (dm_children(r, c, 2))
		return -ENOMEM;
	for (i = 0; i < 2; i++)
		dm_send(r->io, &w->legs[i], c[i]);
	return DM_HELD;
}

static int retries_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	(void)t;
	(void)r;
	(void)c;
	return err ? err : DM_PUT_BACK;
}

static const struct dm_type retries_type = {
	.name = "retries", .usage = "<device> <offset> <device> <offset>", .about = "two tries", .size = sizeof(struct twin),
	.ctr = twin_ctr, .map = retries_map, .child = retries_child,
};

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

static void only_the_first_part_is_taken(void **state)
{
	struct dm_device *d = made("d", "0 4 linear base 40\n4 28 bites base 4");

	(void)state;
	memset(data, 0x31, 32 * DM_SECTOR);
	atomic_store(&bites, 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 4, 28, data), 0);
	assert_int_equal(atomic_load(&bites), 10);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 2, 10, other), 0);	/* of a piece */
	assert_int_equal(atomic_load(&bites), 13);
	assert_memory_equal(other + 2 * DM_SECTOR, data, 8 * DM_SECTOR);
	assert_int_equal(request(&f, d, 0, DM_EXTENT, 0, 4, 28, NULL), 0);
}

static void a_part_that_is_none_fails(void **state)
{
	struct dm_device *d = made("d", "0 64 greedy base 0");

	(void)state;
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 4, 8, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 4, 8, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_EXTENT, 0, 4, 8, NULL), -EIO);
}

static void children_share_a_request(void **state)
{
	struct dm_device *d = made("d", "0 64 twin base 0 memory,size=1M:b 0"), *base = dm_find_name(f.world, "base");
	struct dm_device *b = made("b", "0 64 linear memory,size=1M:b 0");

	(void)state;
	memset(data, 0x42, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1, 5, data), 0);
	assert_int_equal(request(&f, base, 0, DM_READ, 0, 1, 5, other), 0);
	assert_memory_equal(other, data, 5 * DM_SECTOR);
	assert_int_equal(request(&f, b, 1, DM_READ, 0, 1, 5, other), 0);
	assert_memory_equal(other, data, 5 * DM_SECTOR);
}

static void a_child_that_fails_is_shown_to_the_type_first(void **state)
{
	struct dm_device *d = made("d", "0 64 twin bad 0 base 0"), *e = made("e", "0 64 twin bad 0 bad 0");

	(void)state;
	memset(data, 0x43, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1, 5, data), 0);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 1, 5, other), 0);
	assert_memory_equal(other, data, 5 * DM_SECTOR);
	assert_int_equal(request(&f, e, 0, DM_WRITE, 0, 1, 5, data), -EIO);
	assert_int_equal(request(&f, e, 0, DM_READ, 0, 1, 5, other), -EIO);
	assert_int_equal(d->lanes[0].inflight + d->lanes[1].inflight, 0);
}

static void what_is_tried_again_has_not_failed(void **state)
{
	struct dm_device *d = made("d", "0 64 retries bad 0 base 0");
	struct text told = TEXT_INIT;

	(void)state;
	tries = 0;
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1, 5, data), 0);
	assert_int_equal(tries, 2);
	assert_null(f.world->io[0].deferred_faults);
	dm_faults_tell(d, &told);
	assert_string_equal(text_str(&told), "");
	text_free(&told);
}

static void a_flush_ends_after_the_commit(void **state)
{
	struct dm_device *low = made("low", "0 64 commits base 0"), *d = made("d", "0 32 linear low 0\n32 32 commits low 32");

	(void)state;
	atomic_store(&commits, 0);
	atomic_store(&own_commits, 0);
	assert_int_equal(request(&f, low, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(atomic_load(&commits), 1);
	assert_int_equal(request(&f, d, 1, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_true(atomic_load(&commits) >= 3);	/* its own line's, and below it once or twice */
	assert_int_equal(atomic_load(&own_commits), 0);
}

/* It passes suspended devices below, and is not counted. */
static void the_cores_own_flush_is_told_from_a_clients(void **state)
{
	struct dm_device *low = made("low", "0 64 commits base 0"), *d = made("d", "0 64 linear low 0");
	struct dm_stats before = { 0 }, after = { 0 };

	(void)state;
	atomic_store(&commits, 0);
	atomic_store(&own_commits, 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "low", 0, NULL), 0);
	assert_int_equal(atomic_load(&own_commits), 1);
	dm_device_stats(low, &before);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(atomic_load(&own_commits), 1);
	assert_int_equal(atomic_load(&commits), 0);
	dm_device_stats(low, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(reload(&f, "low", "0 64 linear base 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(request(&f, d, 1, DM_FLUSH, 0, 0, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_first_part_is_taken, begin, end),
		cmocka_unit_test_setup_teardown(a_part_that_is_none_fails, begin, end),
		cmocka_unit_test_setup_teardown(children_share_a_request, begin, end),
		cmocka_unit_test_setup_teardown(a_child_that_fails_is_shown_to_the_type_first, begin, end),
		cmocka_unit_test_setup_teardown(what_is_tried_again_has_not_failed, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_ends_after_the_commit, begin, end),
		cmocka_unit_test_setup_teardown(the_cores_own_flush_is_told_from_a_clients, begin, end),
	};

	fixture_add_type(&bites_type);
	fixture_add_type(&greedy_type);
	fixture_add_type(&twin_type);
	fixture_add_type(&retries_type);
	fixture_add_type(&commits_type);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
