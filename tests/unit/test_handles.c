/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of open files: none is used twice, and one that was given back leads to nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fronts/fuse/handles.h"

#define MANY 1000u

struct fuse_file {
	uint64_t handle;
};

static struct fuse_file files[MANY];

/* As fuse_file_of() looks. */
static struct fuse_file *find(const struct fuse_handles *h, uint64_t number)
{
	struct fuse_file *file = fuse_handle_slot(h, number);

	return file && file->handle == number ? file : NULL;
}

static void test_each_number_leads_to_its_file(void **state)
{
	struct fuse_handles h = { 0 };

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(fuse_handle_new(&h, &files[i], &files[i].handle), 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(find(&h, files[i].handle), &files[i]);
	fuse_handles_free(&h);
}

static void test_a_slot_that_is_used_again_has_another_number(void **state)
{
	struct fuse_handles h = { 0 };
	uint64_t first, last = 0;

	(void)state;
	assert_int_equal(fuse_handle_new(&h, &files[0], &first), 0);
	files[0].handle = first;
	for (unsigned i = 0; i < MANY; i++) {
		fuse_handle_drop(&h, files[0].handle);
		assert_null(find(&h, files[0].handle));
		assert_int_equal(fuse_handle_new(&h, &files[0], &files[0].handle), 0);
		assert_true(files[0].handle > last);
		last = files[0].handle;
	}
	assert_null(find(&h, first));
	assert_true(h.room < MANY);	/* the slot itself is used again */
	fuse_handles_free(&h);
}

static void test_a_number_of_nobody_leads_to_nothing(void **state)
{
	struct fuse_handles h = { 0 };

	(void)state;
	assert_null(find(&h, 0));
	assert_null(find(&h, UINT64_MAX));
	assert_int_equal(fuse_handle_new(&h, &files[0], &files[0].handle), 0);
	assert_null(find(&h, 0));
	assert_null(find(&h, files[0].handle + 1));
	assert_null(find(&h, files[0].handle + (UINT64_C(1) << FUSE_HANDLE_BITS)));
	fuse_handles_free(&h);
}

static void test_more_than_the_most_are_refused(void **state)
{
	struct fuse_handles h = { 0 };
	uint64_t number, i;

	(void)state;
	for (i = 0; i <= FUSE_HANDLE_SLOT; i++)
		if (fuse_handle_new(&h, &files[0], &number))
			fail();
	assert_int_equal(fuse_handle_new(&h, &files[0], &number), -ENFILE);
	fuse_handle_drop(&h, number);
	assert_int_equal(fuse_handle_new(&h, &files[0], &number), 0);
	fuse_handles_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_number_leads_to_its_file),
		cmocka_unit_test(test_a_slot_that_is_used_again_has_another_number),
		cmocka_unit_test(test_a_number_of_nobody_leads_to_nothing),
		cmocka_unit_test(test_more_than_the_most_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
