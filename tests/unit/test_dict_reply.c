/* SPDX-License-Identifier: BSD-2-Clause */
/* Dictionaries that are sent: the edited request, and what each command adds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/dicts.h"

static void the_request_comes_back_edited(void **state)
{
	struct dict d = decode(CMD("create") KEY("name", STR("vd")) KEY("table", STR("0 80 zero")) KEY("mine", ARR(INT("1")))
				       KEY("version", ARR(INT("4") INT("0") INT("0") INT("7"))) KEY("error", STR("old"))
					       KEY("answer", STR("old")));
	plist_t r;

	(void)state;
	d.cmd.reply.info = some_info;
	r = encoded(&d);
	assert_int_equal(number(r, "errno"), 0);
	assert_false(has(r, "error"));
	assert_false(has(r, "answer"));
	assert_false(has(r, "table"));
	assert_int_equal(size(r, "mine"), 1);
	assert_int_equal(size(r, "version"), 4);
	assert_int_equal(number(r, "major"), 252);
	assert_int_equal(number(r, "minor"), 3);
	assert_int_equal(number(r, "open_count"), 2);
	assert_int_equal(number(r, "event_nr"), 5);
	assert_int_equal(number(r, "target_count"), 1);
	assert_int_equal(number(r, "sectors"), 80);
	assert_string_equal(string(r, "uuid"), "u-1");
	plist_free(r);
}

static void our_version_is_in_every_reply(void **state)
{
	struct dict d = decode(CMD("version"));
	plist_t r = encoded(&d);
	uint64_t v[3];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		v[i] = plist_uint(item(r, "version", i));
	assert_int_equal(v[0], 4);
	assert_int_equal(v[1], 48);
	assert_int_equal(v[2], 0);
	assert_false(has(r, "flags"));
	plist_free(r);
}

static void failures_carry_netbsds_number_and_the_sentence(void **state)
{
	static const struct {
		int code;
		unsigned netbsd;
	} all[] = {
		{ 0, 0 }, { -ENXIO, 2 }, { -EEXIST, 17 }, { -EBUSY, 16 }, { -EINVAL, 22 }, { -ENOPKG, 2 }, { -ENODEV, 2 },
		{ -EOPNOTSUPP, 45 }, { -ENOTSUP, 45 }, { -ESHUTDOWN, 58 }, { -EINTR, 4 }, { -EIO, 5 }, { -EPERM, 1 },
		{ -ENOSPC, 28 }, { -ENOENT, 2 }, { -EAGAIN, 35 }, { -ENAMETOOLONG, 63 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct dict d = decode(CMD("info") NAME);
		plist_t r;

		if (all[i].code)
			err_set(&d.cmd.reply.err, all[i].code, "a reason with <angles> & more");
		r = encoded(&d);
		assert_int_equal(number(r, "errno"), all[i].netbsd);
		if (all[i].code)
			assert_string_equal(string(r, "error"), "a reason with <angles> & more");
		else
			assert_false(has(r, "error"));
		plist_free(r);
	}
}

static void a_refusal_needs_no_request(void **state)
{
	struct dict d = { .keys = NULL };
	struct err e = ERR_INIT;
	plist_t r;

	(void)state;
	err_set(&e, -EIO, "it was \x01 no text \xff");
	dict_refuse(&d, &e);
	r = written(&d);
	assert_int_equal(number(r, "errno"), 5);
	assert_int_equal(plist_get_node_type(plist_dict_get_item(r, "error")), PLIST_DATA);
	assert_string_equal(plist_string(plist_dict_get_item(r, "error")), "it was \\001 no text \xff");
	plist_free(r);
}

static void warnings_are_an_array(void **state)
{
	struct dict d = decode(CMD("create") NAME);
	plist_t r;

	(void)state;
	text_add(&d.cmd.reply.warnings, "one\ntwo\n");
	r = encoded(&d);
	assert_int_equal(size(r, "warnings"), 2);
	assert_string_equal(plist_string(item(r, "warnings", 1)), "two");
	plist_free(r);
}

static void types_and_names(void **state)
{
	static const unsigned version[] = { 1, 4, 0 };
	struct dm_type_row types[] = { { "linear", "<device> <offset>", "maps", version }, { "file", "PATH", NULL, NULL } };
	struct dm_info names[] = { some_info, some_info };
	struct dict d = decode(CMD("targets"));
	plist_t r;

	(void)state;
	d.cmd.reply.types = types;
	d.cmd.reply.n = 2;
	r = encoded(&d);
	assert_string_equal(string(item(r, "cmd_data", 0), "name"), "linear");
	assert_string_equal(string(item(r, "cmd_data", 0), "usage"), "<device> <offset>");
	assert_int_equal(size(item(r, "cmd_data", 0), "ver"), 3);
	assert_false(has(item(r, "cmd_data", 1), "ver"));
	plist_free(r);

	names[1].suspended = true;
	strcpy(names[1].name, "ve");
	d = decode(CMD("names"));
	d.cmd.reply.names = names;
	d.cmd.reply.n = 2;
	r = encoded(&d);
	assert_int_equal(number(item(r, "cmd_data", 0), "dev"), 3);
	assert_string_equal(string(item(r, "cmd_data", 1), "name"), "ve");
	assert_int_equal(number(item(r, "cmd_data", 1), "flags"), DICT_EXISTS | DICT_SUSPEND | DICT_ACTIVE_PRESENT);
	plist_free(r);
}

static void rows_as_dictionaries_and_as_text(void **state)
{
	struct dm_row rows[] = { { 0, 8, "linear", "a b" }, { 8, 8, "zero", "" } };
	struct dict d = decode(CMD("table") NAME);
	plist_t r;

	(void)state;
	d.cmd.reply.rows = rows;
	d.cmd.reply.n = 2;
	r = encoded(&d);
	assert_int_equal(size(r, "cmd_data"), 2);
	assert_int_equal(number(item(r, "cmd_data", 1), "start"), 8);
	assert_int_equal(number(item(r, "cmd_data", 1), "length"), 8);
	assert_string_equal(string(item(r, "cmd_data", 0), "type"), "linear");
	assert_string_equal(string(item(r, "cmd_data", 1), "params"), "");
	plist_free(r);

	d = decode(CMD("status") NAME KEY("text", "<true/>"));
	d.cmd.reply.rows = rows;
	d.cmd.reply.n = 2;
	r = encoded(&d);
	assert_string_equal(string(r, "table"), "0 8 linear a b\n8 8 zero\n");
	assert_false(has(r, "cmd_data"));
	plist_free(r);
}

static void a_table_too_long_for_dictionaries(void **state)
{
	struct dm_row *rows = calloc(DICT_ROWS_MAX + 1, sizeof(*rows));
	struct dict d = decode(CMD("table") NAME);
	plist_t r;

	(void)state;
	d.cmd.reply.rows = rows;
	d.cmd.reply.n = DICT_ROWS_MAX + 1;
	r = encoded(&d);
	assert_int_equal(number(r, "errno"), 40);
	assert_non_null(strstr(string(r, "error"), "`text`"));
	plist_free(r);
	free(rows);
}

static void deps_as_numbers_and_names(void **state)
{
	struct dm_dep deps[] = { { "/dev/x", 197, 1 }, { "/img", 0, 0 }, { "/dev/y", 8, 0x12345 } };
	struct dict d = decode(CMD("deps") NAME);
	uint64_t v;
	plist_t r;

	(void)state;
	d.cmd.reply.deps = deps;
	d.cmd.reply.n = 3;
	r = encoded(&d);
	assert_int_equal(size(r, "cmd_data"), 2);	/* a file has no number */
	v = plist_uint(item(r, "cmd_data", 0));
	assert_int_equal(v, 50433);			/* encoded as in NetBSD's driver */
	v = plist_uint(item(r, "cmd_data", 1));
	assert_int_equal(v, 8 << 8 | 0x12300000 | 0x45);
	assert_int_equal(size(r, "deps"), 3);
	assert_string_equal(string(item(r, "deps", 1), "name"), "/img");
	assert_int_equal(number(item(r, "deps", 2), "minor"), 0x12345);
	plist_free(r);
}

static void names_with_what_each_uses(void **state)
{
	struct dm_dep deps[] = { { "/img", 0, 0 }, { "/dev/y", 8, 1 }, { "below", 252, 7 } };
	struct dm_info names[] = { some_info, some_info, some_info };
	size_t each[] = { 2, 0, 1 };
	struct dict d = decode(CMD("names") KEY("with_deps", "<true/>"));
	plist_t r;

	(void)state;
	assert_int_equal(d.cmd.flags & DM_WITH_DEPS, DM_WITH_DEPS);
	d.cmd.reply.names = names;
	d.cmd.reply.deps = deps;
	d.cmd.reply.n_deps = each;
	d.cmd.reply.n = 3;
	r = encoded(&d);
	assert_int_equal(size(item(r, "cmd_data", 0), "deps"), 2);
	assert_string_equal(string(item(item(r, "cmd_data", 0), "deps", 1), "name"), "/dev/y");
	assert_int_equal(size(item(r, "cmd_data", 1), "deps"), 0);
	assert_int_equal(number(item(item(r, "cmd_data", 2), "deps", 0), "minor"), 7);
	plist_free(r);
}

static void counters_answers_addresses(void **state)
{
	struct dm_stats *stats = calloc(1, sizeof(*stats));
	struct dict d = decode(CMD("stats") NAME);
	plist_t r, all;

	(void)state;
	stats->ios[DM_READ] = 3;
	stats->latency[DM_ZEROES][2] = 9;
	d.cmd.reply.stats = stats;
	r = encoded(&d);
	all = plist_dict_get_item(r, "stats");
	assert_int_equal(plist_size(all), 5);
	assert_int_equal(number(plist_dict_get_item(all, "read"), "ios"), 3);
	assert_int_equal(size(plist_dict_get_item(all, "zeroes"), "latency"), DM_BUCKETS);
	plist_free(r);
	free(stats);

	d = decode(CMD("message") NAME KEY("message", STR("m")));
	d.cmd.reply.answer = "yes";
	r = encoded(&d);
	assert_string_equal(string(r, "answer"), "yes");
	plist_free(r);

	d = decode(CMD("export") NAME);
	d.cmd.reply.answer = "nbd:a\nnbd:b\n";
	r = encoded(&d);
	assert_int_equal(size(r, "uris"), 2);
	assert_string_equal(plist_string(item(r, "uris", 0)), "nbd:a");
	plist_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_comes_back_edited),
		cmocka_unit_test(our_version_is_in_every_reply),
		cmocka_unit_test(failures_carry_netbsds_number_and_the_sentence),
		cmocka_unit_test(a_refusal_needs_no_request),
		cmocka_unit_test(warnings_are_an_array),
		cmocka_unit_test(types_and_names),
		cmocka_unit_test(rows_as_dictionaries_and_as_text),
		cmocka_unit_test(a_table_too_long_for_dictionaries),
		cmocka_unit_test(deps_as_numbers_and_names),
		cmocka_unit_test(names_with_what_each_uses),
		cmocka_unit_test(counters_answers_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
