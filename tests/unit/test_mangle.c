/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in the kernel's form, and back. What libdevmapper makes of them is in tests/kernel/recorded/name-*.out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/mangle.h"

#define ROOM 1100

static void expect(const char *name, const char *kernel, const char *back)
{
	char got[ROOM], again[ROOM];

	assert_int_equal(dm_mangle(name, DM_MANGLE_AUTO, got, sizeof(got)), 0);
	assert_string_equal(got, kernel);
	dm_unmangle(kernel, again);
	assert_string_equal(again, back);
}

static void names_go_there_and_back(void **state)
{
	(void)state;
	expect("a#+-.:=@_Z9", "a#+-.:=@_Z9", "a#+-.:=@_Z9");
	expect("a b", "a\\x20b", "a b");
	expect("\xc3\xa4", "\\xc3\\xa4", "\xc3\xa4");
	expect("\\", "\\x5c", "\\");
	expect("a\\y", "a\\x5cy", "a\\y");
	expect("a\\xzz", "a\\xzz", "a\\xzz");			/* looks mangled to libdevmapper */
	expect("a\\x20b", "a\\x20b", "a b");			/* is mangled already */
	expect("A\\xC3\\xA4", "A\\xC3\\xA4", "A\\xC3\\xA4");	/* what is printed leads back to it */
}

/* Not text, not on one line, leads out of the directory, another device's, truncated. */
static void what_cannot_be_said_stays(void **state)
{
	static const char *const stay[] = { "\\xe4", "a\\x0ab", "\\x7f", "a\\x2fb", "x\\x5cx20y", "a\\x00b", "raw name", "raw\xe4" };
	char got[ROOM];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stay) / sizeof(*stay); i++) {
		dm_unmangle(stay[i], got);
		assert_string_equal(got, stay[i]);
	}
}

static void every_byte_comes_back(void **state)
{
	char name[] = "a?z", kernel[ROOM], back[ROOM], again[ROOM];
	unsigned byte;

	(void)state;
	for (byte = 1; byte < 256; byte++) {
		name[1] = (char)byte;
		assert_int_equal(dm_mangle(name, DM_MANGLE_AUTO, kernel, sizeof(kernel)), 0);
		assert_int_equal(strspn(kernel, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#+-.:=@_\\"),
				 strlen(kernel));
		dm_unmangle(kernel, back);
		assert_int_equal(dm_mangle(back, DM_MANGLE_AUTO, again, sizeof(again)), 0);
		assert_string_equal(again, kernel);
		assert_true(!strcmp(back, name) || !strcmp(back, kernel));
	}
}

static void other_ways(void **state)
{
	char got[ROOM];

	(void)state;
	assert_int_equal(dm_mangle("x\\x20y z", DM_MANGLE_HEX, got, sizeof(got)), 0);
	assert_string_equal(got, "x\\x5cx20y\\x20z");
	assert_int_equal(dm_mangle("x\\x20y z", DM_MANGLE_NONE, got, sizeof(got)), 0);
	assert_string_equal(got, "x\\x20y z");
	assert_int_equal(dm_mangle("x\\x20y z", DM_MANGLE_AUTO, got, sizeof(got)), -EINVAL);
	assert_int_equal(dm_mangle("a\\x2", DM_MANGLE_AUTO, got, sizeof(got)), -EINVAL);
	assert_int_equal(dm_mangle("a\\x  b", DM_MANGLE_AUTO, got, sizeof(got)), -EINVAL);
	assert_int_equal(dm_mangle("x\\x5cx20y", DM_MANGLE_AUTO, got, sizeof(got)), -EINVAL);
	assert_int_equal(dm_mangle("a b", DM_MANGLE_AUTO, got, 7), 0);
	assert_int_equal(dm_mangle("a b", DM_MANGLE_AUTO, got, 6), -ENAMETOOLONG);
	assert_int_equal(dm_mangle("a ", DM_MANGLE_AUTO, got, 5), -ENAMETOOLONG);
	assert_int_equal(dm_mangle("", DM_MANGLE_AUTO, got, 1), 0);
	assert_string_equal(got, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_there_and_back),
		cmocka_unit_test(what_cannot_be_said_stays),
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(other_ways),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
