/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text: what is added is there, whatever room there was; and words come back from words_next() as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "base/words.h"

static void numbers_are_in_decimal_digits(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 1234567890, UINT64_MAX };
	char want[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct text t = TEXT_INIT;

		text_add_u64(&t, numbers[i]);
		snprintf(want, sizeof(want), "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(text_str(&t), want);
		assert_int_equal(t.len, strlen(want));
		text_free(&t);
	}
}

/* At each length that a text can have before it: it fits, it just fits, or it does not. */
static void formatted_text_fits_into_any_room(void **state)
{
	char want[300];
	size_t before;

	(void)state;
	for (before = 0; before < 140; before++) {
		struct text t = TEXT_INIT;
		int n = 0;

		while (t.len < before)
			text_add(&t, "x");
		n = snprintf(want, sizeof(want), "%s%s-%d", text_str(&t), "a word that is formatted", 42);
		text_printf(&t, "%s-%d", "a word that is formatted", 42);
		assert_string_equal(text_str(&t), want);
		assert_int_equal(t.len, n);
		text_free(&t);
	}
}

static void assert_clean_behind(const struct text *t)
{
	assert_null(memmem(t->s + t->len, t->room - t->len, "a secret", 8));
}

/* text_free() wipes the string only. */
static void nothing_secret_is_behind_the_string(void **state)
{
	struct text t = TEXT_SECRET;
	int i;

	(void)state;
	for (i = 0; i < 300; i++)
		text_printf(&t, "%s, ", "a secret");
	assert_clean_behind(&t);
	text_cut(&t, 100);
	assert_clean_behind(&t);
	text_clear(&t);
	assert_clean_behind(&t);
	text_free(&t);
}

static void nothing_is_added_when_memory_has_run_out(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	text_add(&t, "kept");
	t.failed = true;
	text_printf(&t, "%d", 1);
	text_add_word(&t, "a b");
	text_add_u64(&t, 7);
	assert_string_equal(text_str(&t), "kept");
	text_free(&t);
}

static void assert_comes_back(const char *word)
{
	struct text t = TEXT_INIT;
	struct err e = ERR_INIT;
	char *at, *s;

	text_add(&t, " ");
	text_add_word(&t, word);
	text_add(&t, "\tnext");
	s = at = text_take(&t);
	assert_string_equal(words_next(&at, &e), word);
	assert_string_equal(words_next(&at, &e), "next");
	assert_null(words_next(&at, &e));
	free(s);
}

static void any_word_comes_back(void **state)
{
	char word[4] = "";
	int a, b;

	(void)state;
	for (a = 1; a < 256; a++)
		for (b = 1; b < 256; b++) {
			word[0] = (char)a;
			word[1] = 'm';
			word[2] = (char)b;
			assert_comes_back(word);
		}
	assert_comes_back("/dev/shm/a file's \"name\"");
	assert_comes_back("plain");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_in_decimal_digits), cmocka_unit_test(formatted_text_fits_into_any_room),
		cmocka_unit_test(nothing_secret_is_behind_the_string),
		cmocka_unit_test(nothing_is_added_when_memory_has_run_out), cmocka_unit_test(any_word_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
