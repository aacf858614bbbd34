/* SPDX-License-Identifier: BSD-2-Clause */
/* What was agreed on with the kernel about a mount stays so when another program goes on with it (fronts/fuse/session.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fronts/fuse/server.h"

#define WANTED (FUSE_CAP_ASYNC_READ | FUSE_CAP_SPLICE_WRITE)

static struct fuse_conn_info kernel(void)
{
	return (struct fuse_conn_info){ .capable = WANTED | FUSE_CAP_PARALLEL_DIROPS, .want = FUSE_CAP_SPLICE_READ };
}

static void a_new_mount_gets_what_is_possible(void **state)
{
	struct fuse_agreed agreed = { .max_write = 0 };
	struct fuse_conn_info conn = kernel();

	(void)state;
	assert_true(fuse_agree(&agreed, &conn));
	assert_int_equal(conn.want, WANTED | FUSE_CAP_PARALLEL_DIROPS);
	assert_int_equal(conn.max_write, FUSE_TRANSFER);
	assert_int_equal(agreed.want, conn.want);
	assert_int_equal(agreed.max_write, conn.max_write);
}

static void a_mount_keeps_what_it_has(void **state)
{
	struct fuse_agreed agreed = { WANTED, 65536 };
	struct fuse_conn_info conn = kernel();

	(void)state;
	assert_true(fuse_agree(&agreed, &conn));
	assert_int_equal(conn.want, WANTED);
	assert_int_equal(conn.max_write, 65536);
	assert_int_equal(agreed.want, WANTED);
	assert_int_equal(agreed.max_write, 65536);
}

static void what_cannot_be_kept_is_told(void **state)
{
	struct fuse_agreed more = { WANTED | FUSE_CAP_EXPORT_SUPPORT, 65536 }, larger = { WANTED, 2 * FUSE_TRANSFER };
	struct fuse_conn_info conn = kernel();

	(void)state;
	assert_false(fuse_agree(&more, &conn));
	conn = kernel();
	assert_false(fuse_agree(&larger, &conn));
	assert_int_equal(conn.max_write, FUSE_TRANSFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_mount_gets_what_is_possible),
		cmocka_unit_test(a_mount_keeps_what_it_has),
		cmocka_unit_test(what_cannot_be_kept_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
