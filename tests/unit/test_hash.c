/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table: its elements are found, also without memory for more buckets, and its memory is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/hash.h"

#define THINGS 20000

struct thing {
	uint32_t number;
	struct hash_link link;
};

static struct thing things[THINGS];

static struct thing *find(const struct hash *h, uint32_t number)
{
	return hash_owner(hash_find(h, &number, sizeof(number)), struct thing, link);
}

static void fill(struct hash *h)
{
	uint32_t i;

	for (i = 0; i < THINGS; i++) {
		things[i].number = i * 7;
		hash_add(h, &things[i].link, &things[i].number, sizeof(things[i].number));
	}
}

static void what_is_in_it_is_found(void **state)
{
	struct hash h = { .n = 0 };
	uint32_t i;

	(void)state;
	assert_null(find(&h, 0));
	fill(&h);
	assert_int_equal(h.n, THINGS);
	assert_true(h.mask + 1 >= THINGS / 8);	/* so that a lookup is not a walk */
	for (i = 0; i < THINGS; i++)
		assert_ptr_equal(find(&h, i * 7), &things[i]);
	assert_null(find(&h, 1));
	for (i = 0; i < THINGS; i += 2)
		hash_remove(&h, &things[i].link);
	for (i = 0; i < THINGS; i++)
		assert_ptr_equal(find(&h, i * 7), i % 2 ? &things[i] : NULL);
	for (i = 1; i < THINGS; i += 2)
		hash_remove(&h, &things[i].link);
	assert_int_equal(h.n, 0);
	assert_null(h.many);
	assert_null(hash_first(&h));
}

static void each_is_visited_once_though_it_goes(void **state)
{
	struct hash h = { .n = 0 };
	struct hash_link *l, *next;
	size_t n = 0;

	(void)state;
	fill(&h);
	hash_each(l, next, &h) {
		struct thing *t = container(l, struct thing, link);

		assert_int_equal(t->number, (uint32_t)(t - things) * 7);
		hash_remove(&h, l);
		t->number = UINT32_MAX;
		n++;
	}
	assert_int_equal(n, THINGS);
}

static bool none;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return none ? NULL : __real_calloc(n, size);
}

static void without_memory_it_is_only_slower(void **state)
{
	struct hash h = { .n = 0 };
	uint32_t i;

	(void)state;
	none = true;
	for (i = 0; i < 500; i++) {
		things[i].number = i;
		hash_add(&h, &things[i].link, &things[i].number, sizeof(things[i].number));
	}
	none = false;
	assert_null(h.many);
	for (i = 0; i < 500; i++)
		assert_ptr_equal(find(&h, i), &things[i]);
	for (i = 0; i < 500; i++)
		hash_remove(&h, &things[i].link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it_is_found),
		cmocka_unit_test(each_is_visited_once_though_it_goes),
		cmocka_unit_test(without_memory_it_is_only_slower),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
