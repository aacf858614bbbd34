/* SPDX-License-Identifier: BSD-2-Clause */
/* Several devices are loaded as one: all of their inactive slots have another table then, or none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

static int load(struct fixture *f, const char *const names[2], const char *a, const char *b, char *why)
{
	char *texts[] = { strdup(a), strdup(b) };
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = names[0], .names = names, .n_names = 2, .texts = texts };
	int r = run(f, &c, why);

	dm_reply_free(&c.reply);
	free(texts[0]);
	free(texts[1]);
	return r;
}

static void slots_are(struct fixture *f, const char *a, const char *b)
{
	char *has = rows(f, DM_DO_TABLE, "a", DM_WITH_INACTIVE);

	assert_string_equal(has, a);
	free(has);
	has = rows(f, DM_DO_TABLE, "b", DM_WITH_INACTIVE);
	assert_string_equal(has, b);
	free(has);
}

static const char *const both[] = { "a", "b" };

static void begin(struct fixture *f)
{
	fixture_begin(f, 1, AIO_AUTO);
	make_device(f, "a", "0 8 zero");
	make_device(f, "b", "0 8 zero");
}

static void all_slots_have_their_tables(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 16 zero", "0 24 error", NULL), 0);
	slots_are(&f, "0 16 zero\n", "0 24 error\n");
	assert_int_equal(load(&f, both, "0 32 error", "0 40 zero", NULL), 0);	/* those before are freed */
	slots_are(&f, "0 32 error\n", "0 40 zero\n");
	fixture_end(&f);
}

static void one_that_is_wrong_leaves_all_as_they_were(void **state)
{
	static const char *const none[] = { "a", "c" }, *const twice[] = { "a", "a" };
	struct fixture f;
	char why[ERR_TEXT];

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 16 zero", "0 24 error", NULL), 0);
	assert_int_equal(load(&f, both, "0 8 zero", "0 8 linear /no/such 0", why), -ENOENT);
	assert_non_null(strstr(why, "b: table line 1: linear"));
	assert_int_equal(load(&f, both, "0 8", "0 8 zero", why), -EINVAL);
	assert_non_null(strstr(why, "a: table line 1"));
	assert_int_equal(load(&f, none, "0 8 zero", "0 8 zero", why), -ENXIO);
	assert_non_null(strstr(why, "'c'"));
	assert_int_equal(load(&f, twice, "0 8 zero", "0 8 zero", why), -EINVAL);
	assert_non_null(strstr(why, "'a' is named twice"));
	slots_are(&f, "0 16 zero\n", "0 24 error\n");
	fixture_end(&f);
}

/* Each of them is right when it is built, but together they would be mapped onto each other. */
static void devices_of_one_load_are_not_mapped_onto_each_other(void **state)
{
	struct fixture f;
	char why[ERR_TEXT];

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 8 linear b 0", "0 8 linear a 0", why), -EINVAL);
	assert_non_null(strstr(why, "mapped onto itself"));
	slots_are(&f, "", "");
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_slots_have_their_tables),
		cmocka_unit_test(one_that_is_wrong_leaves_all_as_they_were),
		cmocka_unit_test(devices_of_one_load_are_not_mapped_onto_each_other),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
