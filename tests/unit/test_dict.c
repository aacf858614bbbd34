/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dictionaries, both ways: every command with its keys, every key missing or of
 * a wrong type, what replies look like; and the protocol defects of NetBSD's
 * driver, each as a case by its name, which must not exist here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/dict.h"

#define KEY(k, v) "<key>" k "</key>" v
#define STR(s) "<string>" s "</string>"
#define INT(i) "<integer>" i "</integer>"
#define ARR(a) "<array>" a "</array>"
#define DICT(d) "<dict>" d "</dict>"
#define CMD(c) KEY("command", STR(c))
#define NAME KEY("name", STR("vd"))
#define LINE(start, len, type, params) DICT(KEY("start", INT(start)) KEY("length", INT(len)) KEY("type", STR(type)) \
					    KEY("params", STR(params)))

/* The property list around KEYS. */
static plist_t parse(const char *keys)
{
	struct err e = ERR_INIT;
	plist_t p = NULL;
	char *s;

	assert_true(asprintf(&s, "<plist version=\"1.0\"><dict>%s</dict></plist>", keys) > 0);
	if (dict_parse(s, strlen(s), &p, &e))
		fail_msg("%s: %s", keys, e.text);
	free(s);
	return p;
}

static struct dict decode(const char *keys)
{
	struct dict d = { .keys = parse(keys) };
	struct err e = ERR_INIT;

	if (dict_decode(&d, &e))
		fail_msg("%s: %s", keys, e.text);
	return d;
}

/* KEYS are no command: CODE, and WORD is in the sentence. */
static void refused(const char *keys, int code, const char *word)
{
	struct dict d = { .keys = parse(keys) };
	struct err e = ERR_INIT;

	assert_int_equal(dict_decode(&d, &e), code);
	assert_int_equal(e.code, code);
	if (!strstr(e.text, word))
		fail_msg("'%s' is not in: %s", word, e.text);
	dict_free(&d);
}

/* MESSAGE cannot be read, and WORD says why. */
static void unreadable(const char *message, size_t n, const char *word)
{
	struct err e = ERR_INIT;
	plist_t p;

	assert_int_equal(dict_parse(message, n, &p, &e), -EIO);
	assert_null(p);
	if (!strstr(e.text, word))
		fail_msg("'%s' is not in: %s", word, e.text);
}

static void unreadable_keys(const char *keys, const char *word)
{
	char *s;

	assert_true(asprintf(&s, "<plist>\n<dict>\n%s</dict></plist>", keys) > 0);
	unreadable(s, strlen(s), word);
	free(s);
}

static uint64_t number(plist_t dict, const char *key)
{
	plist_t n = plist_dict_get_item(dict, key);
	uint64_t v = UINT64_MAX;

	if (!n || plist_get_node_type(n) != PLIST_UINT)
		fail_msg("no number %s", key);
	plist_get_uint_val(n, &v);
	return v;
}

static const char *string(plist_t dict, const char *key)
{
	plist_t n = plist_dict_get_item(dict, key);

	if (!n || plist_get_node_type(n) != PLIST_STRING)
		fail_msg("no string %s", key);
	return plist_get_string_ptr(n, NULL);
}

static plist_t item(plist_t dict, const char *key, uint32_t i)
{
	plist_t array = plist_dict_get_item(dict, key);

	assert_int_equal(plist_get_node_type(array), PLIST_ARRAY);
	assert_true(i < plist_array_get_size(array));
	return plist_array_get_item(array, i);
}

static uint32_t size(plist_t dict, const char *key)
{
	return plist_array_get_size(plist_dict_get_item(dict, key));
}

static bool has(plist_t dict, const char *key)
{
	return plist_dict_get_item(dict, key);
}

/* ---- requests ---- */

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
		{ CMD("status") NAME, DM_DO_STATUS }, { CMD("table") NAME, DM_DO_TABLE }, { CMD("deps") NAME, DM_DO_DEPS },
		{ CMD("remove") NAME, DM_DO_REMOVE }, { CMD("remove_all"), DM_DO_REMOVE_ALL },
		{ CMD("rename") NAME KEY("cmd_data", ARR(STR("b"))), DM_DO_RENAME },
		{ CMD("set_uuid") NAME KEY("cmd_data", ARR(STR("u"))), DM_DO_SET_UUID },
		{ CMD("message") NAME KEY("message", STR("m")), DM_DO_MESSAGE },
		{ CMD("wait") NAME KEY("event_nr", INT("1")), DM_DO_WAIT },
		{ CMD("waitevent") NAME KEY("event_nr", INT("1")), DM_DO_WAIT }, { CMD("stats") NAME, DM_DO_STATS },
		{ CMD("check") KEY("table", STR("0 1 zero")), DM_DO_CHECK }, { CMD("export") NAME, DM_DO_EXPORT },
		{ CMD("shutdown"), DM_DO_SHUTDOWN },
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
	d = decode(CMD("info") NAME KEY("minor", INT("0")));	/* a client that sets all fields */
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
	refused(CMD("create") NAME KEY("table", STR("")) KEY("cmd_data", ARR(LINE("0", "8", "zero", ""))), -EINVAL, "two tables");
	refused(CMD("check") KEY("cwd", STR("tmp")), -EINVAL, "absolute");
	refused(CMD("check"), -EINVAL, "no table");
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
}

static void an_unknown_command_is_named_and_so_are_the_known(void **state)
{
	(void)state;
	refused(CMD("setgeometry"), -EINVAL, "'setgeometry' is no command");
	refused(CMD("setgeometry"), -EINVAL, " version targets stores create info mknodes names suspend resume reload clear "
		"status table deps remove remove_all rename set_uuid message wait waitevent stats check export shutdown");
	refused(CMD(""), -EINVAL, "'' is no command");
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
	refused(CMD("nonsense") KEY("version", ARR(INT("5") INT("0") INT("0"))), -EIO, "5.0");	/* before all else */
}

static void numbers_as_clients_write_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0x10", 16 }, { "0XfF", 255 }, { "017", 15 }, { "0", 0 }, { "+5", 5 }, { " 12\n", 12 }, { "-0", 0 },
		{ "9223372036854775807", INT64_MAX }, { "0x7fffffffffffffff", INT64_MAX },
	};
	static const char *const bad[] = { "12x", "abc", "0x", "", " ", "-", "08", "1 2", "18446744073709551616",
					   "0x10000000000000000", "-9223372036854775809", "1.5", "--1" };
	char keys[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct dict d;

		snprintf(keys, sizeof(keys), CMD("message") KEY("message", STR("m")) KEY("sector", INT("%s")), good[i].text);
		d = decode(keys);
		assert_int_equal(d.cmd.sector, good[i].value);
		dict_free(&d);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(keys, sizeof(keys), KEY("sector", INT("%s")), bad[i]);
		unreadable_keys(keys, "no whole number of 64 bits");
	}
	refused(CMD("message") KEY("message", STR("m")) KEY("sector", INT("-5")), -EINVAL, "is -5");
	refused(CMD("message") KEY("message", STR("m")) KEY("sector", INT("9223372036854775808")), -EINVAL,
		"9223372036854775808");
}

static void what_cannot_be_read_says_where_and_why(void **state)
{
	static const struct {
		const char *message, *word;
	} bad[] = {
		{ "", "line 1, byte 0: it ends too early" }, { "hello", "begins like this" }, { "\n\n x", "line 3, byte 3" },
		{ "bplist00xx", "binary" }, { "<plist>", "too early" }, { "<dict/>", "outermost" },
		{ "<plist><array/></plist>", "no <dict>" }, { "<plist><dict/><dict/></plist>", "more than one" },
		{ "<plist><dict/></plist>x", "follows" }, { "<plist><dict/></plist", "no '>'" },
		{ "<plist/>", "outermost" }, { "<plist a=\"b><dict/></plist>", "quote" },
		{ "<!DOCTYPE plist [<!ENTITY a \"b\">]><plist><dict/></plist>", "declarations" },
		{ "<?xml version=\"1.0\"><plist><dict/></plist>", "no end" }, { "<!-- <plist><dict/></plist>", "no end" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		unreadable(bad[i].message, strlen(bad[i].message), bad[i].word);
	unreadable("<plist><dict><key>a\0b</key><true/></dict></plist>", 48, "byte 0x00 inside <key>");
	unreadable_keys(KEY("a", STR("\x07")), "line 3, byte 35: byte 0x07 inside <string>");
	unreadable_keys(KEY("a", STR("\xc3(")), "UTF-8");
	unreadable_keys(KEY("a", STR("\xed\xa0\x80")), "UTF-8");
	unreadable_keys(KEY("a", STR("&nbsp;")), "'&'");
	unreadable_keys(KEY("a", STR("&#0;")), "'&'");
	unreadable_keys(KEY("a", STR("&#xd800;")), "'&'");
	unreadable_keys(KEY("a", STR("a & b")), "'&'");
	unreadable_keys(KEY("a", STR("<![CDATA[x]]>")), "no name of an element");
	unreadable_keys(KEY("a", STR("<b/>")), "<b> is no element");
	unreadable_keys(KEY("a", "<string>x</key>"), "closed by something else");
	unreadable_keys(KEY("a", "<real>1.5</real>"), "<real> is no element");
	unreadable_keys(KEY("a", "<true></true>"), "<true/>");
	unreadable_keys(KEY("a", "<data>*</data>"), "base64");
	unreadable_keys("<key>a</key>", "no value");
	unreadable_keys("<key>a</key><key>b</key>", "value should stand");
	unreadable_keys("<string>a</string>", "<key> should stand");
	unreadable_keys("<key/><true/>", "must have a name");
	unreadable_keys(KEY("a", "<array></dict>"), "not open");
	unreadable_keys("text", "only an element");
}

static char *repeat(const char *a, size_t n, const char *middle, const char *b)
{
	struct text t = TEXT_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		text_add(&t, a);
	text_add(&t, middle);
	for (i = 0; i < n; i++)
		text_add(&t, b);
	return text_take(&t);
}

static void limits(void **state)
{
	struct text keys = TEXT_INIT;
	char *deep, *s;
	int i;

	(void)state;
	deep = repeat("<array>", DICT_DEPTH_MAX - 1, "", "</array>");
	assert_true(asprintf(&s, KEY("a", "%s"), deep) > 0);
	plist_free(parse(s));
	free(s);
	free(deep);
	deep = repeat("<array>", 1000000, "", "</array>");
	assert_true(asprintf(&s, KEY("a", "%s"), deep) > 0);
	unreadable_keys(s, "inside one another");
	free(s);
	free(deep);
	deep = repeat("<true/>", DICT_NODES_MAX, "", "");
	assert_true(asprintf(&s, KEY("a", ARR("%s")), deep) > 0);
	unreadable_keys(s, "elements");
	free(s);
	free(deep);
	for (i = 0; i < (int)DICT_KEYS_MAX + 1; i++)
		text_printf(&keys, "<key>k%d</key><true/>", i);
	unreadable_keys(text_str(&keys), "keys");
	text_free(&keys);
}

static void the_last_of_a_double_key_counts(void **state)
{
	struct dict d = decode(CMD("info") KEY("name", STR("a")) KEY("name", STR("b")));

	(void)state;
	assert_string_equal(d.cmd.name, "b");
	dict_free(&d);
}

/* ---- replies ---- */

static const struct dm_info some_info = {
	.present = true, .name = "vd", .uuid = "u-1", .major = 252, .minor = 3, .live = true, .open_count = 2, .event_nr = 5,
	.target_count = 1, .sectors = 80,
};

/* The reply as a client reads it. D is freed. */
static plist_t written(struct dict *d)
{
	struct err e = ERR_INIT;
	plist_t p;
	char *out;
	size_t n;

	assert_int_equal(dict_write(d, &out, &n, &e), 0);
	assert_int_equal((size_t)(unsigned char)out[0] << 24 | (size_t)(unsigned char)out[1] << 16 |
			 (size_t)(unsigned char)out[2] << 8 | (unsigned char)out[3], n - 4);
	if (dict_parse(out + 4, n - 4, &p, &e))
		fail_msg("%s", e.text);
	free(out);
	dict_free(d);
	return p;
}

static plist_t encoded(struct dict *d)
{
	dict_encode(d);
	return written(d);
}

/* The flags of the reply to a request with flags SENT. */
static uint64_t flags_for(const char *command, const char *sent, const struct dm_info *info, int code)
{
	char keys[200];
	struct dict d;
	plist_t r;
	uint64_t flags;

	snprintf(keys, sizeof(keys), CMD("%s") NAME KEY("flags", INT("%s")), command, sent);
	d = decode(keys);
	d.cmd.reply.info = *info;
	if (code)
		err_set(&d.cmd.reply.err, code, "a reason");
	r = encoded(&d);
	flags = number(r, "flags");
	plist_free(r);
	return flags;
}

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
		plist_get_uint_val(item(r, "version", i), &v[i]);
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
	assert_string_equal(string(r, "error"), "it was ? no text ?");
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
	assert_string_equal(plist_get_string_ptr(item(r, "warnings", 1), NULL), "two");
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
	plist_get_uint_val(item(r, "cmd_data", 0), &v);
	assert_int_equal(v, 50433);			/* as NetBSD's driver packs it */
	plist_get_uint_val(item(r, "cmd_data", 1), &v);
	assert_int_equal(v, 8 << 8 | 0x12300000 | 0x45);
	assert_int_equal(size(r, "deps"), 3);
	assert_string_equal(string(item(r, "deps", 1), "name"), "/img");
	assert_int_equal(number(item(r, "deps", 2), "minor"), 0x12345);
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
	assert_int_equal(plist_dict_get_size(all), 5);
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
	assert_string_equal(plist_get_string_ptr(item(r, "uris", 0), NULL), "nbd:a");
	plist_free(r);
}

/* ---- the defects of NetBSD's driver ---- */

static void A3_a_line_without_params(void **state)
{
	(void)state;
	refused(CMD("reload") NAME KEY("cmd_data", ARR(LINE("0", "8", "zero", "") DICT(KEY("start", INT("8"))
		KEY("length", INT("8")) KEY("type", STR("zero"))))), -EINVAL, "table line 2: key `params` is missing");
}

static void A9_reload_without_lines_or_with_something_else(void **state)
{
	(void)state;
	refused(CMD("reload") NAME, -EINVAL, "no table");
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
	plist_get_uint_val(item(r, "version", 0), &major);
	assert_int_equal(major, 5);	/* as sent: so a client of NetBSD's can tell */
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
	assert_string_equal(d.cmd.name, name);	/* the core refuses it; cut short nobody could find it again */
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
	assert_int_equal(number(item(r, "cmd_data", 0), "status"), 0);	/* all is well; not the number of a slot */
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
		cmocka_unit_test(every_command_has_its_verb),
		cmocka_unit_test(a_device_by_name_uuid_and_minor),
		cmocka_unit_test(a_new_device_keeps_a_minor_only_if_that_is_said),
		cmocka_unit_test(flags_and_switches),
		cmocka_unit_test(a_table_as_dictionaries),
		cmocka_unit_test(a_table_as_text),
		cmocka_unit_test(message_wait_rename),
		cmocka_unit_test(every_key_of_a_wrong_type_is_named),
		cmocka_unit_test(an_unknown_command_is_named_and_so_are_the_known),
		cmocka_unit_test(versions),
		cmocka_unit_test(numbers_as_clients_write_them),
		cmocka_unit_test(what_cannot_be_read_says_where_and_why),
		cmocka_unit_test(limits),
		cmocka_unit_test(the_last_of_a_double_key_counts),
		cmocka_unit_test(the_request_comes_back_edited),
		cmocka_unit_test(our_version_is_in_every_reply),
		cmocka_unit_test(failures_carry_netbsds_number_and_the_sentence),
		cmocka_unit_test(a_refusal_needs_no_request),
		cmocka_unit_test(warnings_are_an_array),
		cmocka_unit_test(types_and_names),
		cmocka_unit_test(rows_as_dictionaries_and_as_text),
		cmocka_unit_test(a_table_too_long_for_dictionaries),
		cmocka_unit_test(deps_as_numbers_and_names),
		cmocka_unit_test(counters_answers_addresses),
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
