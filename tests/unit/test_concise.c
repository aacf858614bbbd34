/* SPDX-License-Identifier: BSD-2-Clause */
/* The concise format: fields, escapes, several devices, refusals. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/concise.h"

static void a_device_has_five_fields(void **state)
{
	char text[] = "a,U,7,ro,0 1 zero,1 1 error";
	struct err e = ERR_INIT;
	struct concise d;
	char *at = text;

	(void)state;
	assert_int_equal(concise_next(&at, &d, &e), 1);
	assert_string_equal(d.name, "a");
	assert_string_equal(d.uuid, "U");
	assert_true(d.has_minor);
	assert_int_equal(d.minor, 7);
	assert_true(d.readonly);
	assert_string_equal(d.table, "0 1 zero\n1 1 error");
	assert_int_equal(concise_next(&at, &d, &e), 0);
}

static void fields_may_be_empty_and_blanks_stand_in_front(void **state)
{
	char text[] = "\n ; a , ,, ,  0 1 zero ;\n b,,,rw;;c,,,,\n";
	struct err e = ERR_INIT;
	struct concise d;
	char *at = text;

	(void)state;
	assert_int_equal(concise_next(&at, &d, &e), 1);
	assert_string_equal(d.name, "a ");
	assert_string_equal(d.uuid, "");
	assert_false(d.has_minor);
	assert_false(d.readonly);
	assert_string_equal(d.table, "0 1 zero ");
	assert_int_equal(concise_next(&at, &d, &e), 1);
	assert_string_equal(d.name, "b");
	assert_string_equal(d.table, "");
	assert_int_equal(concise_next(&at, &d, &e), 1);
	assert_string_equal(d.name, "c");
	assert_string_equal(d.table, "");
	assert_int_equal(concise_next(&at, &d, &e), 0);
}

static void what_is_escaped_comes_back(void **state)
{
	static const char *const names[] = { "a,b", "a;b", "a\\b", "\\", ";,\\;", "plain", "a\nb", "\n\r", "\\\n", "\r" };
	struct text t = TEXT_INIT;
	struct err e = ERR_INIT;
	struct concise d;
	char *text, *at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		concise_add(&t, names[i]);
		text_add(&t, ",,,,0 1 linear ");
		concise_add(&t, names[i]);
		text_add(&t, i % 2 ? " 0;\n" : " 0;");
	}
	at = text = text_take(&t);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(concise_next(&at, &d, &e), 1);
		assert_string_equal(d.name, names[i]);
		assert_int_equal(strncmp(d.table, "0 1 linear ", 11), 0);
		assert_int_equal(strncmp(d.table + 11, names[i], strlen(names[i])), 0);
		assert_string_equal(d.table + 11 + strlen(names[i]), " 0");
	}
	assert_int_equal(concise_next(&at, &d, &e), 0);
	free(text);
}

static void refusals_say_what(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "a", "a: only 1 of the fields" }, { "a,b,", "3 of the fields" }, { ",,,,0 1 zero", "name of a device is empty" },
		{ "a,,x,,", "minor 'x' is not a number" }, { "a,,4294967296,,", "not a number" }, { "a,,,wr,", "invalid flags 'wr'" },
		{ "a\\", "1 of the fields" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *text = strdup(bad[i].text), *at = text;
		struct err e = ERR_INIT;
		struct concise d;

		assert_int_equal(concise_next(&at, &d, &e), -EINVAL);
		if (!strstr(e.text, bad[i].says))
			fail_msg("'%s' says: %s", bad[i].text, e.text);
		free(text);
	}
}

/* No sequence of these characters makes it access memory outside the text: the sanitizers check that. */
static void any_text_ends(void **state)
{
	static const char alphabet[] = ",;\\ a0\n";
	char text[8], *at;
	struct err e = ERR_INIT;
	struct concise d;
	unsigned n, i, devices;

	(void)state;
	for (n = 0; n < 7 * 7 * 7 * 7 * 7 * 7; n++) {
		char *copy;
		unsigned rest = n;

		for (i = 0; i < 6; i++, rest /= 7)
			text[i] = alphabet[rest % 7];
		text[6] = '\0';
		at = copy = strdup(text);
		for (devices = 0; concise_next(&at, &d, &e) > 0; devices++)
			assert_true(devices < 7 && at <= copy + 6);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_five_fields),
		cmocka_unit_test(fields_may_be_empty_and_blanks_stand_in_front),
		cmocka_unit_test(what_is_escaped_comes_back),
		cmocka_unit_test(refusals_say_what),
		cmocka_unit_test(any_text_ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
