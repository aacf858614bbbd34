/* SPDX-License-Identifier: BSD-2-Clause */
/* What the type flags forbid, with Linux 6.12's answers for thin-pool, which has three of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

static struct fixture f;

static int plain_ctr(struct dm_target *t, struct dm_args *a)
{
	(void)t;
	return dm_args_end(a);
}

static int plain_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

#define TYPE(id, said, has) \
	static const struct dm_type id = { \
		.name = said, .usage = "", .about = "", .flags = has, .ctr = plain_ctr, .map = plain_map, \
	}

TYPE(single, "single", DM_TARGET_SINGLETON);
TYPE(writes, "writes", DM_TARGET_ALWAYS_WRITEABLE);
TYPE(stays, "stays", DM_TARGET_IMMUTABLE);
TYPE(pool, "pool", DM_TARGET_SINGLETON | DM_TARGET_ALWAYS_WRITEABLE | DM_TARGET_IMMUTABLE);

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void refused(const char *table, const char *sentence)
{
	char why[ERR_TEXT];

	assert_int_equal(create(&f, "d", table, why), -EINVAL);
	assert_string_equal(why, sentence);
	assert_null(dm_find_name(f.world, "d"));
}

static void a_singleton_is_the_only_line(void **state)
{
	(void)state;
	refused("0 8 single\n8 8 zero", "table line 2: zero: a line of type single must be the only line of its table");
	refused("0 8 single\n8 8 single", "table line 2: single: a line of type single must be the only line of its table");
	refused("0 8 zero\n8 8 single", "table line 2: single: a line of type single must be the only line of its table");
	assert_int_equal(create(&f, "d", "0 8 single", NULL), 0);
	assert_int_equal(reload(&f, "d", "0 8 zero", NULL), 0);
}

static int load(const char *table, uint32_t flags)
{
	char *text = strdup(table);
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = "d", .flags = flags, .text = text, .cwd = "/" };
	int r = run(&f, &c, NULL);

	free(text);
	return r;
}

static void make_empty(void)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "d" };

	assert_int_equal(run(&f, &c, NULL), 0);
}

static void what_must_write_is_in_no_read_only_table(void **state)
{
	(void)state;
	make_empty();
	assert_int_equal(load("0 8 writes", DM_WITH_READONLY), -EINVAL);
	assert_int_equal(load("0 8 zero\n8 8 writes", DM_WITH_READONLY), -EINVAL);
	assert_false(info(&f, "d").inactive);
	assert_int_equal(load("0 8 zero\n8 8 writes", 0), 0);
}

static void an_immutable_type_is_not_mixed(void **state)
{
	(void)state;
	refused("0 8 stays\n8 8 zero", "table line 2: zero: lines of type stays cannot be mixed with lines of other types");
	refused("0 8 zero\n8 8 stays", "table line 2: stays: lines of type stays cannot be mixed with lines of other types");
	assert_int_equal(create(&f, "d", "0 8 stays\n8 8 stays", NULL), 0);
}

/* The same answers in the same order as on Linux. */
static void an_active_immutable_table_is_replaced_by_its_like(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(create(&f, "d", "0 16 pool", NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 zero", why), -EINVAL);
	assert_string_equal(why, "the active table of 'd' is of type pool; only another table of that type, or one with an error line, can replace it");
	assert_false(info(&f, "d").inactive);
	assert_int_equal(reload(&f, "d", "0 16 stays", NULL), -EINVAL);
	assert_int_equal(reload(&f, "d", "0 8 zero\n8 8 error", NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 pool", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(load("0 16 zero", 0), -EINVAL);
	assert_int_equal(reload(&f, "d", "0 16 error", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 zero", NULL), 0);
}

static void one_that_was_never_active_is_replaced_by_any(void **state)
{
	(void)state;
	make_empty();
	assert_int_equal(reload(&f, "d", "0 16 pool", NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 zero", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 pool", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(reload(&f, "d", "0 16 zero", NULL), -EINVAL);
}

static void a_forced_removal_replaces_it_all_the_same(void **state)
{
	struct dm_device *d = make_device(&f, "d", "0 16 pool");
	char *table;

	(void)state;
	dm_open(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", DM_WITH_FORCE, NULL), -EBUSY);
	table = rows(&f, DM_DO_TABLE, "d", 0);
	assert_non_null(strstr(table, "error"));
	free(table);
	dm_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_singleton_is_the_only_line, begin, end),
		cmocka_unit_test_setup_teardown(what_must_write_is_in_no_read_only_table, begin, end),
		cmocka_unit_test_setup_teardown(an_immutable_type_is_not_mixed, begin, end),
		cmocka_unit_test_setup_teardown(an_active_immutable_table_is_replaced_by_its_like, begin, end),
		cmocka_unit_test_setup_teardown(one_that_was_never_active_is_replaced_by_any, begin, end),
		cmocka_unit_test_setup_teardown(a_forced_removal_replaces_it_all_the_same, begin, end),
	};

	fixture_add_type(&single);
	fixture_add_type(&writes);
	fixture_add_type(&stays);
	fixture_add_type(&pool);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
