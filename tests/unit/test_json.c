/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON from property lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proto/json.h"

/* NODE is freed. */
static void expect(plist_t node, const char *json)
{
	struct text out = TEXT_INIT;

	json_add(&out, node);
	assert_string_equal(text_str(&out), json);
	text_free(&out);
	plist_free(node);
}

static void plain_values(void **state)
{
	(void)state;
	expect(plist_new_uint(0), "0");
	expect(plist_new_uint(UINT64_MAX), "18446744073709551615");
	expect(plist_new_bool(1), "true");
	expect(plist_new_bool(0), "false");
	expect(plist_new_int((uint64_t)-5, true), "-5");
	expect(plist_new_data("x\0\xe9", 3), "\"x\\u0000\\udce9\"");
}

static void strings_are_escaped(void **state)
{
	(void)state;
	expect(plist_new_string(""), "\"\"");
	expect(plist_new_string("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
	expect(plist_new_string("\n\t\001\033\177"), "\"\\n\\t\\u0001\\u001b\\u007f\"");
}

static void good_utf8_stays_and_other_bytes_come_back(void **state)
{
	(void)state;
	expect(plist_new_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe\"");
	expect(plist_new_string("a\xffz"), "\"a\\udcffz\"");
	expect(plist_new_string("\xc3"), "\"\\udcc3\"");
	expect(plist_new_string("\xc0\x80"), "\"\\udcc0\\udc80\"");
	expect(plist_new_string("\xed\xa0\x80"), "\"\\udced\\udca0\\udc80\"");
	expect(plist_new_string("\xf4\x90\x80\x80"), "\"\\udcf4\\udc90\\udc80\\udc80\"");
}

static void containers_nest_and_keep_their_order(void **state)
{
	plist_t dict = plist_new_dict(), list = plist_new_array();

	(void)state;
	expect(plist_new_dict(), "{}");
	expect(plist_new_array(), "[]");
	plist_array_append_item(list, plist_new_uint(1));
	plist_array_append_item(list, plist_new_dict());
	plist_dict_set_item(dict, "z", list);
	plist_dict_set_item(dict, "a\"", plist_new_string("b"));
	expect(dict, "{\n  \"z\": [\n    1,\n    {}\n  ],\n  \"a\\\"\": \"b\"\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_values),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(good_utf8_stays_and_other_bytes_come_back),
		cmocka_unit_test(containers_nest_and_keep_their_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
