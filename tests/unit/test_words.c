/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and numbers of table lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

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
		cmocka_unit_test(an_open_quote_is_an_error),
		cmocka_unit_test(numbers_are_whole_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
