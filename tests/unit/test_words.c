/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and numbers of table lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/words.h"

static void words_are_split_and_unquoted(void **state)
{
	char line[] = "  a\\ b 'c d' \"e\\\"f\" g";
	char *at = line;
	struct err e = ERR_INIT;

	(void)state;
	assert_string_equal(words_next(&at, &e), "a b");
	assert_string_equal(words_next(&at, &e), "c d");
	assert_string_equal(words_next(&at, &e), "e\"f");
	assert_string_equal(words_next(&at, &e), "g");
	assert_null(words_next(&at, &e));
	assert_int_equal(e.code, 0);
}

/* What is counted is what is taken, and stays as it is. */
static void words_are_counted_as_they_are_taken(void **state)
{
	static const char *const lines[] = { "", "  ", "a", " a\\ b 'c d' \"e\\\"f\" g ", "''", "a\\", "a 'open b", "a\tb\nc" };
	char line[64], *at;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct err e = ERR_INIT;

		strcpy(line, lines[i]);
		at = line;
		for (n = 0; words_next(&at, &e); n++)
			;
		assert_int_equal(words_count(lines[i]), n);
		strcpy(line, lines[i]);
		words_count(line);
		assert_string_equal(line, lines[i]);
	}
}

/* Every byte that a path can have, and in particular a line break: one word, on one line. */
static void any_bytes_are_a_word(void **state)
{
	char line[2 * 256], all[256], *at, *end;
	struct text t = TEXT_INIT;
	struct err e = ERR_INIT;
	unsigned i;

	(void)state;
	for (i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	text_add_word(&t, all);
	text_add(&t, " next\nother");
	strcpy(line, text_str(&t));
	end = words_line(line);
	assert_string_equal(end, "\nother");
	*end = '\0';
	at = line;
	assert_string_equal(words_next(&at, &e), all);
	assert_string_equal(words_next(&at, &e), "next");
	assert_null(words_next(&at, &e));
	assert_int_equal(e.code, 0);
	text_free(&t);
}

static void a_line_ends_at_a_bare_line_break(void **state)
{
	(void)state;
	assert_string_equal(words_line("a\\\nb\nc"), "\nc");
	assert_string_equal(words_line("a\\\\\nb"), "\nb");
	assert_string_equal(words_line(" # a\\\nb"), "\nb");	/* a comment has no words */
	assert_string_equal(words_line("a\\"), "");
	assert_string_equal(words_line(""), "");
}

static void a_sentence_is_one_line(void **state)
{
	struct text t = TEXT_INIT;
	char cut[8] = "abcd\n\n";
	struct err e;

	(void)state;
	err_set(&e, -EIO, "'%s' is bad", "a\nb\x1b[1m\t\x7f\xe4");
	assert_string_equal(e.text, "'a\\nb\\033[1m\\t\\177\xe4' is bad");
	text_add_line(&t, "%s %d", "a\r", 1);
	assert_string_equal(text_str(&t), "a\\r 1\n");
	text_free(&t);
	utf8_one_line(cut, sizeof(cut));
	assert_string_equal(cut, "abcd\\n");
	strcpy(cut, "\nabcdef");
	utf8_one_line(cut, sizeof(cut));
	assert_string_equal(cut, "\\nabcde");
}

static void an_open_quote_is_an_error(void **state)
{
	char line[] = "'abc";
	char *at = line;
	struct err e = ERR_INIT;

	(void)state;
	assert_null(words_next(&at, &e));
	assert_int_equal(e.code, -EINVAL);
}

static void numbers_are_whole_words(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(words_u64("18446744073709551615", &n), 0);
	assert_int_equal(words_u64("18446744073709551616", &n), -ERANGE);
	assert_int_equal(words_u64("38x", &n), -EINVAL);
	assert_int_equal(words_u64("-1", &n), -EINVAL);
	assert_int_equal(words_u64("", &n), -EINVAL);
	assert_int_equal(words_sectors("64K", &n), 0);
	assert_int_equal(n, 128);
	assert_int_equal(words_sectors("10M", &n), 0);
	assert_int_equal(n, 20480);
	assert_int_equal(words_sectors("384", &n), 0);
	assert_int_equal(n, 384);
	assert_int_equal(words_bytes("16777216P", &n), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_and_unquoted),
		cmocka_unit_test(words_are_counted_as_they_are_taken),
		cmocka_unit_test(any_bytes_are_a_word),
		cmocka_unit_test(a_line_ends_at_a_bare_line_break),
		cmocka_unit_test(a_sentence_is_one_line),
		cmocka_unit_test(an_open_quote_is_an_error),
		cmocka_unit_test(numbers_are_whole_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
