/* SPDX-License-Identifier: BSD-2-Clause */
/* Scattered bytes: however ten bytes are divided into buffers, they are the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/vec.h"

static struct iovec scatter[4];
static uint8_t bytes[10];

/* Buffers of A, B, no and the rest of ten bytes. */
static struct vec scattered(size_t a, size_t b)
{
	scatter[0] = (struct iovec){ bytes, a };
	scatter[1] = (struct iovec){ bytes + a, b };
	scatter[2] = (struct iovec){ NULL, 0 };
	scatter[3] = (struct iovec){ bytes + a + b, 10 - a - b };
	return (struct vec){ scatter, 0 };
}

static void check_cut(struct vec v, size_t at, size_t n)
{
	uint8_t got[10], want[10] = "0123456789";

	memcpy(bytes, want, 10);
	vec_get(vec_from(v, at), got, n);
	assert_memory_equal(got, want + at, n);
	vec_put(vec_from(v, at), "abcdefghij", n);
	memcpy(want + at, "abcdefghij", n);
	assert_memory_equal(bytes, want, 10);
	vec_zero(vec_from(v, at), n);
	memset(want + at, 0, n);
	assert_memory_equal(bytes, want, 10);
}

static void any_cut_gives_the_same_bytes(void **state)
{
	size_t a, b, at, n;

	(void)state;
	for (a = 0; a <= 10; a++)
		for (b = 0; a + b < 10; b++)
			for (at = 0; at < 10; at++)
				for (n = 1; at + n <= 10; n++)
					check_cut(scattered(a, b), at, n);
}

static void whole_buffers_are_counted(void **state)
{
	struct vec v = scattered(3, 4);
	size_t len;

	(void)state;
	assert_int_equal(vec_whole(v, 10, 9, &len), 4);
	assert_int_equal(len, 10);
	assert_int_equal(vec_whole(v, 8, 9, &len), 3);
	assert_int_equal(len, 7);
	assert_int_equal(vec_whole(v, 10, 1, &len), 1);
	assert_int_equal(len, 3);
	assert_int_equal(vec_whole(v, 2, 9, &len), 0);
	assert_int_equal(vec_whole(vec_from(v, 1), 9, 9, &len), 0);
	assert_int_equal(vec_whole(vec_from(v, 3), 7, 9, &len), 3);
	assert_int_equal(len, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_bytes),
		cmocka_unit_test(whole_buffers_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
