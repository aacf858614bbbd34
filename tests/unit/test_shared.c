/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared objects: one for each kind and place, which exists as long as somebody uses it, and so does its store. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/kit/shared.h"
#include "support/world.h"

struct thing {
	struct dm_shared shared;
	unsigned *ends;
	void *memory;
};

static struct fixture f;
static unsigned begins, ends;
static int refuse;

static int thing_begin(struct dm_shared *s, struct err *e)
{
	struct thing *t = container(s, struct thing, shared);

	begins++;
	t->memory = malloc(10);
	return refuse ? err_set(e, refuse, "%s on '%s' is refused", s->kind->name, s->store->name) : 0;
}

static void thing_end(struct dm_shared *s)
{
	ends++;
	free(container(s, struct thing, shared)->memory);
}

static const struct dm_shared_kind one_kind = { "a thing", sizeof(struct thing), thing_begin, thing_end };
static const struct dm_shared_kind other_kind = { "another thing", sizeof(struct thing), thing_begin, thing_end };

static int begin(void **state)
{
	(void)state;
	begins = ends = 0;
	refuse = 0;
	fixture_begin(&f, 1, AIO_AUTO);
	assert_int_equal(create(&f, "one", "0 8 linear memory,size=1M:a 0", NULL), 0);
	assert_int_equal(create(&f, "two", "0 8 linear memory,size=1M:b 0", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_null(hash_first(&f.world->shared));
	fixture_end(&f);
	return 0;
}

static struct dm_store *store_of(const char *name)
{
	return dm_find_name(f.world, name)->active->stores[0];
}

static struct dm_shared *get(const struct dm_shared_kind *kind, const char *name)
{
	struct dm_shared *s;
	struct err e = ERR_INIT;

	if (dm_shared_get(&s, kind, store_of(name), &e))
		fail_msg("%s", e.text);
	return s;
}

static void one_for_each_kind_and_place(void **state)
{
	struct dm_shared *a = get(&one_kind, "one"), *b = get(&one_kind, "two"), *c = get(&other_kind, "one");

	(void)state;
	assert_true(a != b && a != c && b != c);
	assert_ptr_equal(get(&one_kind, "one"), a);
	assert_int_equal(begins, 3);
	dm_shared_put(a);
	assert_int_equal(ends, 0);
	assert_ptr_equal(dm_shared_find(&one_kind, store_of("one")), a);
	dm_shared_put(a);
	assert_int_equal(ends, 1);
	assert_null(dm_shared_find(&one_kind, store_of("one")));
	assert_ptr_equal(dm_shared_find(&other_kind, store_of("one")), c);
	dm_shared_put(b);
	dm_shared_put(c);
	dm_shared_put(NULL);
	assert_int_equal(ends, 3);
}

/* The object's I/O may continue when no table is left. */
static void it_outlives_the_tables_with_its_store(void **state)
{
	struct dm_shared *a = get(&one_kind, "one");

	(void)state;
	assert_int_equal(verb(&f, DM_DO_REMOVE, "one", 0, NULL), 0);
	assert_false(list_empty(&f.world->stores));
	assert_string_equal(a->store->type->name, "memory");
	assert_int_equal(create(&f, "again", "0 8 linear memory,size=1M:a 0", NULL), 0);
	assert_ptr_equal(dm_shared_find(&one_kind, store_of("again")), a);
	dm_shared_put(a);
}

static void one_that_cannot_be_made_leaves_nothing_behind(void **state)
{
	struct dm_shared *s;
	struct err e = ERR_INIT;
	unsigned refs = store_of("one")->refs;

	(void)state;
	refuse = -EBUSY;
	assert_int_equal(dm_shared_get(&s, &one_kind, store_of("one"), &e), -EBUSY);
	assert_non_null(strstr(e.text, "a thing on 'memory"));
	assert_null(s);
	assert_int_equal(ends, 1);
	assert_int_equal(store_of("one")->refs, refs);
	assert_null(dm_shared_find(&one_kind, store_of("one")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_for_each_kind_and_place, begin, end),
		cmocka_unit_test_setup_teardown(it_outlives_the_tables_with_its_store, begin, end),
		cmocka_unit_test_setup_teardown(one_that_cannot_be_made_leaves_nothing_behind, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
