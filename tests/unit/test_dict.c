/* SPDX-License-Identifier: BSD-2-Clause */
/* Dictionaries that are received: every command with its keys, every key missing or of a wrong type. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/dicts.h"

static void every_command_has_its_verb(void **state)
{
	static const struct {
		const char *keys;
		enum dm_verb verb;
	} all[] = {
		{ CMD("version"), DM_DO_VERSION }, { CMD("targets"), DM_DO_TARGETS }, { CMD("stores"), DM_DO_STORES },
		{ CMD("create") NAME, DM_DO_CREATE }, { CMD("info") NAME, DM_DO_INFO }, { CMD("mknodes") NAME, DM_DO_INFO },
		{ CMD("names"), DM_DO_NAMES }, { CMD("suspend") NAME, DM_DO_SUSPEND }, { CMD("resume") NAME, DM_DO_RESUME },
		{ CMD("reload") NAME KEY("cmd_data", "<array/>"), DM_DO_RELOAD }, { CMD("clear") NAME, DM_DO_CLEAR },
		{ CMD("status") NAME, DM_DO_STATUS }, { CMD("table") NAME, DM_DO_TABLE },
		{ CMD("measure") NAME, DM_DO_MEASURE }, { CMD("deps") NAME, DM_DO_DEPS },
		{ CMD("remove") NAME, DM_DO_REMOVE }, { CMD("remove_all"), DM_DO_REMOVE_ALL },
		{ CMD("rename") NAME KEY("cmd_data", ARR(STR("b"))), DM_DO_RENAME },
		{ CMD("set_uuid") NAME KEY("cmd_data", ARR(STR("u"))), DM_DO_SET_UUID },
		{ CMD("setgeometry") NAME KEY("geometry", ARR(INT("1") INT("2") INT("3") INT("4"))), DM_DO_GEOMETRY },
		{ CMD("message") NAME KEY("message", STR("m")), DM_DO_MESSAGE },
		{ CMD("cut") KEY("names", ARR(STR("a") STR("b"))) KEY("message", STR("torn")), DM_DO_CUT },
		{ CMD("restore") NAME, DM_DO_RESTORE }, { CMD("wait") NAME KEY("event_nr", INT("1")), DM_DO_WAIT },
		{ CMD("waitevent") NAME KEY("event_nr", INT("1")), DM_DO_WAIT }, { CMD("stats") NAME, DM_DO_STATS },
		{ CMD("check") KEY("table", STR("0 1 zero")), DM_DO_CHECK }, { CMD("export") NAME, DM_DO_EXPORT },
		{ CMD("shutdown"), DM_DO_SHUTDOWN }, { CMD("replace") KEY("program", STR("/p")), DM_DO_REPLACE }, { CMD("mount"), DM_DO_MOUNT },
		{ CMD("umount") KEY("directory", STR("/m")), DM_DO_UMOUNT },
		{ CMD("disk") NAME KEY("file", STR("/a.img")), DM_DO_DISK }, { CMD("undisk") NAME, DM_DO_UNDISK },
		{ CMD("disks"), DM_DO_DISKS }, { CMD("session"), DM_DO_SESSION },
	};
	bool seen[DM_VERBS] = { false };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct dict d = decode(all[i].keys);

		assert_int_equal(d.cmd.verb, all[i].verb);
		seen[d.cmd.verb] = true;
		dict_free(&d);
	}
	for (i = 0; i < DM_VERBS; i++)
		assert_true(seen[i]);
}

static void a_device_by_name_uuid_and_minor(void **state)
{
	struct dict d = decode(CMD("info") NAME KEY("uuid", STR("u-1")) KEY("minor", INT("7")));

	(void)state;
	assert_string_equal(d.cmd.name, "vd");
	assert_string_equal(d.cmd.uuid, "u-1");
	assert_true(d.cmd.has_minor);
	assert_int_equal(d.cmd.minor, 7);
	dict_free(&d);
	d = decode(CMD("info") NAME KEY("minor", INT("0")));	/* from a client that sets all fields */
	assert_false(d.cmd.has_minor);
	dict_free(&d);
}

static void a_new_device_keeps_a_minor_only_if_that_is_said(void **state)
{
	struct dict d = decode(CMD("create") NAME KEY("minor", INT("7")) KEY("flags", INT("4")));

	(void)state;
	assert_false(d.cmd.has_minor);
	dict_free(&d);
	d = decode(CMD("create") NAME KEY("minor", INT("0")) KEY("flags", INT("8")));
	assert_true(d.cmd.has_minor);
	assert_int_equal(d.cmd.minor, 0);
	dict_free(&d);
	refused(CMD("create") NAME KEY("flags", INT("8")), -EINVAL, "`minor` is missing");
}

static void flags_and_switches(void **state)
{
	struct dict d = decode(CMD("suspend") NAME KEY("flags", INT("0x800")));

	(void)state;
	assert_int_equal(d.cmd.flags, DM_WITH_NOFLUSH);
	dict_free(&d);
	d = decode(CMD("table") NAME KEY("flags", INT("0x1011")));
	assert_int_equal(d.cmd.flags, DM_WITH_INACTIVE | DM_WITH_READONLY);
	dict_free(&d);
	d = decode(CMD("remove") NAME KEY("flags", INT("0x20000")) KEY("force", "<true/>") KEY("reset", "<false/>"));
	assert_int_equal(d.cmd.flags, DM_WITH_DEFERRED | DM_WITH_FORCE);
	dict_free(&d);
	d = decode(CMD("stats") NAME KEY("reset", "<true/>") KEY("sizes", "<true/>"));
	assert_int_equal(d.cmd.flags, DM_WITH_RESET | DM_WITH_SIZES);
	dict_free(&d);
	d = decode(CMD("status") NAME KEY("flags", INT("0x10")) KEY("text", "<true/>"));
	assert_int_equal(d.cmd.verb, DM_DO_TABLE);	/* STATUS_TABLE */
	assert_true(d.text);
	dict_free(&d);
}

static void a_table_as_dictionaries(void **state)
{
	struct dict d = decode(CMD("reload") NAME KEY("cmd_data", ARR(LINE("0", "0x2800", "linear", "/dev/wd1a 384")
									      LINE("10240", "8", "zero", ""))));

	(void)state;
	assert_null(d.cmd.text);
	assert_int_equal(d.cmd.n_lines, 2);
	assert_int_equal(d.cmd.lines[0].len, 10240);
	assert_string_equal(d.cmd.lines[0].params, "/dev/wd1a 384");
	assert_int_equal(d.cmd.lines[1].start, 10240);
	assert_string_equal(d.cmd.lines[1].type, "zero");
	assert_string_equal(d.cmd.lines[1].params, "");
	dict_free(&d);
}

static void a_table_as_text(void **state)
{
	struct dict d = decode(CMD("create") NAME KEY("table", STR("0 8 linear a&amp;b 0\n8 8 zero")) KEY("cwd", STR("/tmp"))
				       KEY("cmd_data", "<array/>"));

	(void)state;
	assert_string_equal(d.cmd.text, "0 8 linear a&b 0\n8 8 zero");
	assert_string_equal(d.cmd.cwd, "/tmp");
	assert_int_equal(d.cmd.n_lines, 0);
	dict_free(&d);
	refused(CMD("create") NAME KEY("table", STR("")) KEY("cmd_data", ARR(LINE("0", "8", "zero", ""))), -EINVAL, "mutually exclusive");
	refused(CMD("check") KEY("cwd", STR("tmp")), -EINVAL, "absolute");
	refused(CMD("check"), -EINVAL, "table is missing");
}

static void a_text_that_was_read_is_freed_before_the_reply(void **state)
{
	struct dict d = decode(CMD("create") NAME KEY("table", STR("0 8 zero")));
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(dict_prepare(&d, &out, &e), 0);
	dict_text_read(&d);
	assert_null(d.cmd.text);
	assert_null(plist_dict_get_item(d.spare, "table"));
	dict_encode(&d);
	assert_int_equal(plist_uint(plist_dict_get_item(d.keys, "errno")), 0);
	dict_free(&d);
	text_free(&out);
}

static void message_wait_rename(void **state)
{
	struct dict d = decode(CMD("message") NAME KEY("sector", INT("0x10")) KEY("message", STR("say hello")));

	(void)state;
	assert_int_equal(d.cmd.sector, 16);
	assert_string_equal(d.cmd.message, "say hello");
	dict_free(&d);
	d = decode(CMD("wait") NAME KEY("event_nr", INT("4294967295")));
	assert_int_equal(d.cmd.event_nr, UINT32_MAX);
	dict_free(&d);
	d = decode(CMD("rename") NAME KEY("cmd_data", ARR(STR("ve"))));
	assert_string_equal(d.cmd.new_name, "ve");
	dict_free(&d);
	refused(CMD("message") NAME, -EINVAL, "`message` is missing");
	refused(CMD("wait") NAME, -EINVAL, "`event_nr` is missing");
}

static void every_key_of_a_wrong_type_is_named(void **state)
{
	static const char *const strings[] = { "name", "uuid", "cwd", "table" }, *const numbers[] = { "flags", "minor" },
				 *const switches[] = { "force", "reset", "sizes", "text" };
	char keys[400], word[60];
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		snprintf(keys, sizeof(keys), CMD("create") "<key>%s</key>" INT("1"), strings[i]);
		snprintf(word, sizeof(word), "`%s` is an integer; it must be a string", strings[i]);
		refused(keys, -EINVAL, word);
	}
	for (i = 0; i < 2; i++) {
		snprintf(keys, sizeof(keys), CMD("create") "<key>%s</key>" STR("1"), numbers[i]);
		snprintf(word, sizeof(word), "`%s` is a string; it must be an integer", numbers[i]);
		refused(keys, -EINVAL, word);
		snprintf(keys, sizeof(keys), CMD("create") "<key>%s</key>" INT("-1"), numbers[i]);
		snprintf(word, sizeof(word), "`%s` is -1", numbers[i]);
		refused(keys, -EINVAL, word);
		snprintf(keys, sizeof(keys), CMD("create") "<key>%s</key>" INT("4294967296"), numbers[i]);
		refused(keys, -EINVAL, "from 0 to 4294967295");
	}
	for (i = 0; i < 4; i++) {
		snprintf(keys, sizeof(keys), CMD("create") "<key>%s</key>" ARR(""), switches[i]);
		snprintf(word, sizeof(word), "`%s` is an array; it must be a boolean", switches[i]);
		refused(keys, -EINVAL, word);
	}
	refused(KEY("command", INT("1")), -EINVAL, "`command` is an integer");
	refused(NAME, -EINVAL, "`command` is missing");
	refused(CMD("version") KEY("version", STR("4")), -EINVAL, "`version` is a string");
	refused(CMD("message") NAME KEY("message", "<true/>"), -EINVAL, "`message` is a boolean");
	refused(CMD("set_uuid") NAME, -EINVAL, "`cmd_data` is missing");
	refused(CMD("resume") NAME KEY("read_ahead", INT("1")) KEY("least_read_ahead", INT("1")), -EINVAL, "mutually exclusive");
	refused(CMD("create") NAME KEY("least_read_ahead", INT("-1")), -EINVAL, "`least_read_ahead` is -1");
	refused(CMD("setgeometry") NAME, -EINVAL, "`geometry` is missing");
	refused(CMD("setgeometry") NAME KEY("geometry", ARR(INT("1") INT("2") INT("3"))), -EINVAL, "an array of 4 integers");
	refused(CMD("setgeometry") NAME KEY("geometry", ARR(INT("1") INT("2") INT("3") STR("4"))), -EINVAL, "4 integers");
	refused(CMD("setgeometry") NAME KEY("geometry", ARR(INT("1") INT("2") INT("3") INT("-4"))), -EINVAL, "4 integers");
}

static void an_unknown_command_is_named_and_so_are_the_known(void **state)
{
	(void)state;
	refused(CMD("frobnicate"), -EINVAL, "unknown command 'frobnicate'");
	refused(CMD("frobnicate"), -EINVAL, " version targets stores create info mknodes names suspend resume reload clear "
		"status table measure deps remove remove_all rename set_uuid setgeometry message cut restore wait waitevent stats check export mount umount "
		"disk undisk disks session replace shutdown");
	refused(CMD(""), -EINVAL, "unknown command ''");
}

static void versions(void **state)
{
	struct dict d = decode(CMD("version") KEY("version", ARR(INT("4") INT("0x30") INT("99"))));

	(void)state;
	dict_free(&d);
	refused(CMD("version") KEY("version", ARR(INT("4") INT("49") INT("0"))), -EIO, "4.49");
	refused(CMD("version") KEY("version", ARR(INT("5") INT("0") INT("0"))), -EIO, "5.0");
	refused(CMD("version") KEY("version", ARR(INT("3") INT("0") INT("0"))), -EIO, "4.48");
	refused(CMD("version") KEY("version", ARR(INT("4"))), -EINVAL, "3 integers");
	refused(CMD("version") KEY("version", ARR(INT("4") STR("0") INT("0"))), -EINVAL, "3 integers");
	refused(CMD("nonsense") KEY("version", ARR(INT("5") INT("0") INT("0"))), -EIO, "5.0");	/* before anything else */
}

static void the_last_of_a_double_key_counts(void **state)
{
	struct dict d = decode(CMD("info") KEY("name", STR("a")) KEY("name", STR("b")));

	(void)state;
	assert_string_equal(d.cmd.name, "b");
	dict_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_its_verb),
		cmocka_unit_test(a_device_by_name_uuid_and_minor),
		cmocka_unit_test(a_new_device_keeps_a_minor_only_if_that_is_said),
		cmocka_unit_test(flags_and_switches),
		cmocka_unit_test(a_table_as_dictionaries),
		cmocka_unit_test(a_table_as_text),
		cmocka_unit_test(a_text_that_was_read_is_freed_before_the_reply),
		cmocka_unit_test(message_wait_rename),
		cmocka_unit_test(every_key_of_a_wrong_type_is_named),
		cmocka_unit_test(an_unknown_command_is_named_and_so_are_the_known),
		cmocka_unit_test(versions),
		cmocka_unit_test(the_last_of_a_double_key_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
