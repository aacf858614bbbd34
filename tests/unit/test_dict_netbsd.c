/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol defects of NetBSD's driver, each as a test: dmuse must have none of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/dicts.h"

static void A3_a_line_without_params(void **state)
{
	(void)state;
	refused(CMD("reload") NAME KEY("cmd_data", ARR(LINE("0", "8", "zero", "") DICT(KEY("start", INT("8"))
		KEY("length", INT("8")) KEY("type", STR("zero"))))), -EINVAL, "table line 2: key `params` is missing");
}

static void A9_reload_without_lines_or_with_something_else(void **state)
{
	(void)state;
	refused(CMD("reload") NAME, -EINVAL, "table is missing");
	refused(CMD("reload") NAME KEY("cmd_data", STR("x")), -EINVAL, "`cmd_data` is a string; it must be an array");
	refused(CMD("reload") NAME KEY("cmd_data", ARR(INT("1"))), -EINVAL, "table line 1: `cmd_data` holds an integer");
}

static void A11_keys_left_out_are_not_made_up(void **state)
{
	struct dict d = decode(CMD("info") NAME);

	(void)state;
	assert_false(d.cmd.has_minor);
	dict_free(&d);
	refused(CMD("reload") NAME KEY("cmd_data", ARR(DICT(KEY("length", INT("8"))))), -EINVAL, "`start` is missing");
	refused(CMD("reload") NAME KEY("cmd_data", ARR(DICT(KEY("start", INT("0"))))), -EINVAL, "`length` is missing");
	refused(CMD("reload") NAME KEY("cmd_data", ARR(DICT(KEY("start", INT("0")) KEY("length", INT("8"))))), -EINVAL,
		"`type` is missing");
	refused(CMD("rename") NAME, -EINVAL, "`cmd_data` is missing: the new name");
	refused(CMD("rename") NAME KEY("cmd_data", "<array/>"), -EINVAL, "the new name");
	refused(CMD("rename") NAME KEY("cmd_data", ARR(INT("5"))), -EINVAL, "the new name");
	refused(CMD("rename") NAME KEY("cmd_data", STR("ve")), -EINVAL, "must be an array");
}

static void B1_a_failure_is_never_reported_as_success(void **state)
{
	struct dict d = { .keys = parse(CMD("version") KEY("version", ARR(INT("5") INT("0") INT("0")))) };
	struct err e = ERR_INIT;
	plist_t r;
	uint64_t major;

	(void)state;
	assert_int_equal(dict_decode(&d, &e), -EIO);
	dict_refuse(&d, &e);
	r = written(&d);
	assert_int_equal(number(r, "errno"), 5);
	assert_true(*string(r, "error"));
	major = plist_uint(item(r, "version", 0));
	assert_int_equal(major, 5);	/* as sent, so that a client of NetBSD's can tell */
	plist_free(r);
}

static void B9_info_reports_readonly(void **state)
{
	struct dm_info i = some_info;

	(void)state;
	i.readonly = true;
	assert_int_equal(flags_for("info", "4", &i, 0), DICT_EXISTS | DICT_READONLY | DICT_ACTIVE_PRESENT);
}

static void B11_event_numbers_and_pinned_minors_exist(void **state)
{
	struct dict d = decode(CMD("create") NAME KEY("flags", INT("8")) KEY("minor", INT("9")));
	plist_t r;

	(void)state;
	assert_true(d.cmd.has_minor);
	d.cmd.reply.info = some_info;
	r = encoded(&d);
	assert_int_equal(number(r, "event_nr"), 5);
	plist_free(r);
}

static void B14_a_long_name_arrives_whole(void **state)
{
	char *name = repeat("n", 300, "", ""), *keys;
	struct dict d;

	(void)state;
	assert_true(asprintf(&keys, CMD("create") KEY("name", STR("%s")), name) > 0);
	d = decode(keys);
	assert_string_equal(d.cmd.name, name);	/* the core refuses it; if it were truncated, nobody would find it again */
	dict_free(&d);
	free(keys);
	free(name);
}

static void B20_status_has_its_text_with_and_without_the_flag(void **state)
{
	struct dm_row rows[] = { { 0, 8, "striped", "2 a b 1 AA" } };
	struct dict d = decode(CMD("status") NAME);
	plist_t r;

	(void)state;
	d.cmd.reply.rows = rows;
	d.cmd.reply.n = 1;
	r = encoded(&d);
	assert_string_equal(string(item(r, "cmd_data", 0), "params"), "2 a b 1 AA");
	assert_int_equal(number(item(r, "cmd_data", 0), "status"), 0);	/* success, and not the number of a slot */
	plist_free(r);
}

static void B22_inactive_present_is_told_beside_an_active_table(void **state)
{
	struct dm_info i = some_info;

	(void)state;
	i.inactive = true;
	assert_int_equal(flags_for("status", "0", &i, 0), DICT_EXISTS | DICT_ACTIVE_PRESENT | DICT_INACTIVE_PRESENT);
}

static void B23_flags_are_the_truth_not_an_echo(void **state)
{
	struct dm_info none = { .present = false }, i = some_info;

	(void)state;
	assert_int_equal(flags_for("info", "0", &i, 0), DICT_EXISTS | DICT_ACTIVE_PRESENT);
	assert_int_equal(flags_for("info", "0x20067", &i, 0), DICT_EXISTS | DICT_ACTIVE_PRESENT);
	assert_int_equal(flags_for("info", "0x804", &i, 0), DICT_EXISTS | DICT_ACTIVE_PRESENT | DICT_NOFLUSH);
	assert_int_equal(flags_for("info", "0x67", &none, -ENXIO), 0);
	assert_int_equal(flags_for("remove", "0x4", &none, 0), 0);
	assert_int_equal(flags_for("create", "0", &none, -EEXIST), DICT_EXISTS);
	i.suspended = i.deferred = true;
	assert_int_equal(flags_for("resume", "0", &i, 0), DICT_EXISTS | DICT_ACTIVE_PRESENT | DICT_SUSPEND |
								  DICT_DEFERRED_REMOVE);
}

static void B27_data_and_large_numbers_come_back_as_they_went(void **state)
{
	struct dict d = decode(CMD("version") KEY("a", "<data/>") KEY("b", "<data>QUJD</data>") KEY("c", STR(""))
				       KEY("d", INT("18446744073709551615")));
	plist_t r = encoded(&d);

	(void)state;
	assert_int_equal(plist_get_node_type(plist_dict_get_item(r, "a")), PLIST_DATA);
	assert_int_equal(plist_get_node_type(plist_dict_get_item(r, "b")), PLIST_DATA);
	assert_string_equal(string(r, "c"), "");
	assert_true(number(r, "d") == UINT64_MAX);
	plist_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A3_a_line_without_params),
		cmocka_unit_test(A9_reload_without_lines_or_with_something_else),
		cmocka_unit_test(A11_keys_left_out_are_not_made_up),
		cmocka_unit_test(B1_a_failure_is_never_reported_as_success),
		cmocka_unit_test(B9_info_reports_readonly),
		cmocka_unit_test(B11_event_numbers_and_pinned_minors_exist),
		cmocka_unit_test(B14_a_long_name_arrives_whole),
		cmocka_unit_test(B20_status_has_its_text_with_and_without_the_flag),
		cmocka_unit_test(B22_inactive_present_is_told_beside_an_active_table),
		cmocka_unit_test(B23_flags_are_the_truth_not_an_echo),
		cmocka_unit_test(B27_data_and_large_numbers_come_back_as_they_went),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
