/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of damaged messages, the same ones on every run. Each is parsed, becomes a command if it is one, and is
 * answered: never a crash, a leak or a failure without a sentence.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/dict.h"

#define ROUNDS 20000

static const char *const seeds[] = {
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" "
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n\t<key>command</key>\n"
	"\t<string>reload</string>\n\t<key>cmd_data</key>\n\t<array>\n\t\t<dict>\n\t\t\t<key>start</key>\n"
	"\t\t\t<integer>0x0</integer>\n\t\t\t<key>length</key>\n\t\t\t<integer>0x2800</integer>\n\t\t\t<key>type</key>\n"
	"\t\t\t<string>linear</string>\n\t\t\t<key>params</key>\n\t\t\t<string>/dev/wd1a 384</string>\n\t\t</dict>\n"
	"\t</array>\n\t<key>flags</key>\n\t<integer>0x4</integer>\n\t<key>name</key>\n\t<string>vd</string>\n"
	"\t<key>version</key>\n\t<array>\n\t\t<integer>4</integer>\n\t\t<integer>0</integer>\n"
	"\t\t<integer>0</integer>\n\t</array>\n</dict>\n</plist>\n",
	"<plist version=\"1.0\"><dict><key>command</key><string>create</string><key>name</key><string>a &lt;b&gt; &amp; "
	"&#x41;&#66;&quot;</string><key>table</key><string>0 8 zero\n8 8 error</string><key>cwd</key><string>/tmp</string>"
	"<key>sizes</key><true/><key>minor</key><integer>7</integer><key>flags</key><integer>8</integer></dict></plist>",
	"<plist><dict><!-- a comment --><key>command</key><string>message</string><key>message</key><string>x</string>"
	"<key>sector</key><integer>-1</integer><key>data</key><data>QUJD\nRA==</data><key>deep</key><array><array>"
	"<dict><key>k</key><array/></dict></array><dict/></array></dict></plist>",
	"<plist><dict><key>command</key><string>wait</string><key>event_nr</key><integer>4294967295</integer>"
	"<key>uuid</key><string/><key>force</key><false/><key>\xc3\xa9</key><string>\xe2\x82\xac\xf0\x9f\x98\x80</string>"
	"</dict></plist>",
};

/* What is inserted in places: what parsers stumble over. */
static const char *const splinters[] = {
	"<", ">", "/", "&", ";", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE [", "<dict>", "</dict>", "<array>", "</array>",
	"<key>", "</key>", "<key/>", "<string>", "</string>", "<integer>", "</integer>", "<integer/>", "<true/>", "<data>",
	"<real>", "<date>", "<plist>", "</plist>", "&#0;", "&#x110000;", "&nope;", "-", "0x", "99999999999999999999", "\xff",
	"\xc3", "\xed\xa0\x80", "\x01", "bplist00", "<?", "?>", "\"", "=", "table", "cmd_data", "version",
};

static uint32_t draw(uint64_t *state, size_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % below);
}

static size_t insert(char *s, size_t n, size_t at, const char *what, size_t len)
{
	memmove(s + at + len, s + at, n - at);
	memcpy(s + at, what, len);
	return n + len;
}

static size_t cut(char *s, size_t n, size_t at, size_t len)
{
	if (len > n - at)
		len = n - at;
	memmove(s + at, s + at + len, n - at - len);
	return n - len;
}

/* Damages S once, which has room for it. */
static size_t damage(char *s, size_t n, uint64_t *dice)
{
	size_t at = draw(dice, n), len = 1 + draw(dice, 40);
	const char *splinter = splinters[draw(dice, sizeof(splinters) / sizeof(*splinters))];
	char copy[40];

	switch (draw(dice, 6)) {
	case 0:
		s[at] = (char)draw(dice, 256);
		return n;
	case 1:
		s[at] ^= (char)(1 << draw(dice, 8));
		return n;
	case 2:
		return insert(s, n, at, splinter, strlen(splinter));
	case 3:
		return cut(s, n, at, len);
	case 4:		/* part of it again in another place */
		if (len > n - at)
			len = n - at;
		memcpy(copy, s + at, len);
		return insert(s, n, draw(dice, n), copy, len);
	default:
		return at ? at : n;
	}
}

static void check_sentence(const struct err *e, int r)
{
	assert_int_equal(e->code, r);
	assert_true(strlen(e->text) > 10);
}

/* The reply must be a message that a client can parse. */
static void answer(struct dict *d)
{
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;
	plist_t again;

	assert_int_equal(dict_write(d, &out, &e), 0);
	if (dict_parse(out.s + DICT_HEAD, out.len - DICT_HEAD, &again, &e))
		fail_msg("our own reply: %s", e.text);
	assert_non_null(plist_dict_get_item(again, "errno"));
	plist_free(again);
	text_free(&out);
}

/* Returns 0 if it was a command, 1 if it was a dictionary, 2 if it was neither. */
static int feed(const char *bytes, size_t n)
{
	char *exact = malloc(n ? n : 1);	/* so that the sanitizer detects a read past its end */
	struct dict d = { .keys = NULL };
	struct err e = ERR_INIT;
	int r, outcome = 0;

	memcpy(exact, bytes, n);
	r = dict_parse(exact, n, &d.keys, &e);
	free(exact);
	if (r) {
		assert_int_equal(r, -EIO);
		outcome = 2;
	} else {
		r = dict_decode(&d, &e);
		outcome = !!r;
	}
	if (r) {
		check_sentence(&e, r);
		dict_refuse(&d, &e);
	} else {
		dict_encode(&d);
	}
	answer(&d);
	dict_free(&d);
	return outcome;
}

static void damaged_messages(void **state)
{
	const size_t n_seeds = sizeof(seeds) / sizeof(*seeds);
	unsigned outcomes[3] = { 0, 0, 0 };
	uint64_t dice = 20260101;
	char s[8192];
	int i, more;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		size_t n = strlen(seeds[i % n_seeds]);

		memcpy(s, seeds[i % n_seeds], n);
		for (more = 1 + (int)draw(&dice, 4); more && n; more--)
			n = damage(s, n, &dice);
		outcomes[feed(s, n)]++;
	}
	/* The damage is neither always fatal nor always harmless: each outcome is frequent. */
	for (i = 0; i < 3; i++)
		assert_true(outcomes[i] > ROUNDS / 100);
}

static void every_beginning(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		size_t whole = strlen(seeds[i]), end = (size_t)(strstr(seeds[i], "</plist>") - seeds[i]) + 8;

		for (n = 0; n <= whole; n++)
			assert_int_equal(feed(seeds[i], n) == 2, n < end);
	}
}

static void every_byte_once_of_each_value(void **state)
{
	size_t n = strlen(seeds[1]), at;
	char s[1024];
	int v;

	(void)state;
	for (at = 0; at < n; at++)
		for (v = 0; v < 256; v += 3) {
			memcpy(s, seeds[1], n);
			s[at] = (char)v;
			feed(s, n);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_messages),
		cmocka_unit_test(every_beginning),
		cmocka_unit_test(every_byte_once_of_each_value),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
