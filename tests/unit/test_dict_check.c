/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is accepted in a message and what is not: numbers, text, elements, limits; and the message says where the error
 * is.
 */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/dicts.h"

static void numbers_as_clients_write_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0x10", 16 }, { "0XfF", 255 }, { "017", 15 }, { "0", 0 }, { "+5", 5 }, { " 12\n", 12 }, { "-0", 0 },
		{ "9223372036854775807", INT64_MAX }, { "0x7fffffffffffffff", INT64_MAX },
	};
	static const char *const bad[] = { "12x", "abc", "0x", "", " ", "-", "08", "1 2", "18446744073709551616",
					   "0x10000000000000000", "-9223372036854775809", "1.5", "--1" };
	char keys[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct dict d;

		snprintf(keys, sizeof(keys), CMD("message") KEY("message", STR("m")) KEY("sector", INT("%s")), good[i].text);
		d = decode(keys);
		assert_int_equal(d.cmd.sector, good[i].value);
		dict_free(&d);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(keys, sizeof(keys), KEY("sector", INT("%s")), bad[i]);
		unreadable_keys(keys, "not a 64-bit integer");
	}
	refused(CMD("message") KEY("message", STR("m")) KEY("sector", INT("-5")), -EINVAL, "is -5");
	refused(CMD("message") KEY("message", STR("m")) KEY("sector", INT("9223372036854775808")), -EINVAL,
		"9223372036854775808");
}

static void what_cannot_be_read_says_where_and_why(void **state)
{
	static const struct {
		const char *message, *word;
	} bad[] = {
		{ "", "line 1, byte 0: the message is truncated" }, { "hello", "not an XML property list" }, { "\n\n x", "line 3, byte 3" },
		{ "bplist00xx", "binary" }, { "<plist>", "truncated" }, { "<dict/>", "outermost" },
		{ "<plist><array/></plist>", "not <dict>" }, { "<plist><dict/><dict/></plist>", "more than one" },
		{ "<plist><dict/></plist>x", "data after" }, { "<plist><dict/></plist", "no '>'" },
		{ "<plist/>", "outermost" }, { "<plist a=\"b><dict/></plist>", "quote" },
		{ "<!DOCTYPE plist [<!ENTITY a \"b\">]><plist><dict/></plist>", "declarations" },
		{ "<?xml version=\"1.0\"><plist><dict/></plist>", "not closed" }, { "<!-- <plist><dict/></plist>", "not closed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		unreadable(bad[i].message, strlen(bad[i].message), bad[i].word);
	unreadable("<plist><dict><key>a\0b</key><true/></dict></plist>", 48, "byte 0x00 inside <key>");
	unreadable_keys(KEY("a", STR("\x07")), "line 3, byte 35: byte 0x07 inside <string>");
	unreadable_keys(KEY("a", STR("\xc3(")), "UTF-8");
	unreadable_keys(KEY("a", STR("\xed\xa0\x80")), "UTF-8");
	unreadable_keys(KEY("a", STR("&nbsp;")), "'&'");
	unreadable_keys(KEY("a", STR("&#0;")), "'&'");
	unreadable_keys(KEY("a", STR("&#xd800;")), "'&'");
	unreadable_keys(KEY("a", STR("a & b")), "'&'");
	unreadable_keys(KEY("a", STR("<![CDATA[x]]>")), "not followed by an element name");
	unreadable_keys(KEY("a", STR("<b/>")), "<b> is not an element");
	unreadable_keys(KEY("a", "<string>x</key>"), "closed by a different tag");
	unreadable_keys(KEY("a", "<real>1.5</real>"), "<real> is not an element");
	unreadable_keys(KEY("a", "<true></true>"), "<true/>");
	unreadable_keys(KEY("a", "<data>*</data>"), "base64");
	unreadable_keys("<key>a</key>", "no value");
	unreadable_keys("<key>a</key><key>b</key>", "instead of the value of a key");
	unreadable_keys("<string>a</string>", "instead of <key>");
	unreadable_keys("<key/><true/>", "must have a name");
	unreadable_keys(KEY("a", "<array></dict>"), "without an opening tag");
	unreadable_keys("text", "text where an element is expected");
}

static void limits(void **state)
{
	struct text keys = TEXT_INIT;
	char *deep, *s;
	int i;

	(void)state;
	deep = repeat("<array>", PLIST_DEPTH_MAX - 1, "", "</array>");
	assert_true(asprintf(&s, KEY("a", "%s"), deep) > 0);
	plist_free(parse(s));
	free(s);
	free(deep);
	deep = repeat("<array>", 1000000, "", "</array>");
	assert_true(asprintf(&s, KEY("a", "%s"), deep) > 0);
	unreadable_keys(s, "nested more than");
	free(s);
	free(deep);
	deep = repeat("<true/>", DICT_NODES_MAX, "", "");
	assert_true(asprintf(&s, KEY("a", ARR("%s")), deep) > 0);
	unreadable_keys(s, "elements");
	free(s);
	free(deep);
	for (i = 0; i < (int)PLIST_KEYS_MAX + 1; i++)
		text_printf(&keys, "<key>k%d</key><true/>", i);
	unreadable_keys(text_str(&keys), "keys");
	text_free(&keys);
}

/* A message needs memory for its text and a limited number of bytes for each element, whatever it contains. */
static void memory_is_bounded(void **state)
{
	static const struct {
		const char *element;
		unsigned nodes;
	} all[] = { { "<true/>", 1 }, { "<string/>", 1 }, { "<array/>", 1 }, { "<dict><key>k</key><dict/></dict>", 3 } };
	size_t i, before, taken;
	struct err e = ERR_INIT;
	char *many, *s;
	plist_t p;
	int n;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		many = repeat(all[i].element, 100000, "", "");
		n = asprintf(&s, "<plist><dict><key>a</key><array>%s</array></dict></plist>", many);
		before = mallinfo2().uordblks;
		assert_int_equal(dict_parse(s, (size_t)n, &p, &e), 0);
		taken = mallinfo2().uordblks - before;
		assert_true(taken <= 128ul * 100000 * all[i].nodes + (size_t)n);
		plist_free(p);
		assert_int_equal(mallinfo2().uordblks, before);
		free(many);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_as_clients_write_them),
		cmocka_unit_test(what_cannot_be_read_says_where_and_why),
		cmocka_unit_test(limits),
		cmocka_unit_test(memory_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
