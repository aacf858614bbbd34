/* SPDX-License-Identifier: BSD-2-Clause */
/* Property lists as messages: how many bytes are enough is known before one is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/plist.h"

static size_t written(plist_t node)
{
	struct text out = TEXT_INIT;
	size_t n;

	assert_int_equal(plist_write(node, 1 << 20, &out), 0);
	n = out.len;
	text_free(&out);
	return n;
}

static void enough(plist_t node)
{
	assert_true(plist_most(node) >= written(node));
	plist_free(node);
}

/* N bytes CH. */
static plist_t bytes_of(plist_type type, size_t n, char ch)
{
	plist_t node = plist_new_bytes(type, n);

	memset(plist_bytes(node), ch, n);
	return node;
}

/* In DEPTH arrays. */
static plist_t deep(plist_t node, unsigned depth)
{
	while (depth--) {
		plist_t array = plist_new_array();

		plist_array_append_item(array, node);
		node = array;
	}
	return node;
}

static void strings_that_grow_most(void **state)
{
	static const char chars[] = { 'a', '&', '<', '\r', '\x01', '\xff' };
	size_t n, i;

	(void)state;
	for (n = 0; n < 300; n++)
		for (i = 0; i < sizeof(chars); i++) {
			enough(bytes_of(PLIST_STRING, n, chars[i]));
			enough(deep(bytes_of(PLIST_STRING, n, chars[i]), PLIST_DEPTH_MAX));
		}
}

static void data_of_any_length_at_any_depth(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < 300; n++) {
		enough(bytes_of(PLIST_DATA, n, 0));
		enough(deep(bytes_of(PLIST_DATA, n, 0), PLIST_DEPTH_MAX));
	}
}

static void numbers_and_empty_lists(void **state)
{
	(void)state;
	enough(plist_new_uint(UINT64_MAX));
	enough(plist_new_int((uint64_t)INT64_MIN, true));
	enough(plist_new_bool(false));
	enough(plist_new_dict());
	enough(deep(plist_new_array(), PLIST_DEPTH_MAX));
	enough(deep(plist_new_int((uint64_t)INT64_MIN, true), PLIST_DEPTH_MAX));
}

static void keys_that_grow(void **state)
{
	char key[200];
	plist_t dict = plist_new_dict();
	size_t n;

	(void)state;
	for (n = 1; n < sizeof(key); n++) {
		memset(key, '&', n);
		key[n] = '\0';
		plist_dict_set_item(dict, key, plist_new_uint(n));
	}
	enough(deep(dict, PLIST_DEPTH_MAX - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_that_grow_most),
		cmocka_unit_test(data_of_any_length_at_any_depth),
		cmocka_unit_test(numbers_and_empty_lists),
		cmocka_unit_test(keys_that_grow),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
