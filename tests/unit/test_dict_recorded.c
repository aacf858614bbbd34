/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is sent has not changed in any byte: replies of every kind, and a request of the command, compared with a
 * recording (tests/unit/recorded/messages.txt). With RECORD=FILE in the environment the messages are written to that
 * file instead.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/dict_client.h"
#include "support/dicts.h"

static struct text heard;

static void hear(const char *what, const char *bytes, size_t n)
{
	text_printf(&heard, "== %s\n", what);
	text_add_n(&heard, bytes, n);
}

/* The reply to KEYS, whose command ended with R. */
static void reply_to(const char *what, const char *keys, const struct dm_reply *r)
{
	struct dict d = decode(keys);
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(dict_prepare(&d, &out, &e), 0);
	if (r)
		d.cmd.reply = *r;
	dict_encode(&d);
	assert_int_equal(dict_write(&d, &out, &e), 0);
	hear(what, out.s + DICT_HEAD, out.len - DICT_HEAD);
	text_free(&out);
	dict_free(&d);
}

static const struct dm_info other_info = {
	.present = true, .name = "a <b> & \"c\" 'd'", .uuid = "", .major = 252, .minor = 1048575, .suspended = true,
	.readonly = true, .inactive = true, .open_count = 4294967295u, .event_nr = 7, .target_count = 0,
	.sectors = 9223372036854775807ull,
};

static void what_the_client_sent_comes_back(void)
{
	reply_to("every kind of value", CMD("version")
		 KEY("int", INT("12") ) KEY("hex", INT("0xfF")) KEY("octal", INT("017")) KEY("minus", INT("-5"))
		 KEY("minus hex", INT("-0x10")) KEY("least", INT("-9223372036854775808")) KEY("nought", INT(" -0\n"))
		 KEY("most", INT("9223372036854775807")) KEY("huge", INT("18446744073709551615"))
		 KEY("over", INT("0x8000000000000000")) KEY("yes", "<true/>") KEY("no", "<false/>")
		 KEY("words", STR(" two\n lines\t&amp;&lt;&gt;&apos;&quot;&#65;&#x20ac;&#13;\xc3\xa4\xf0\x9f\x98\x80 '\"> "))
		 KEY("empty", STR("")) KEY("empty too", "<string/>") KEY("list", ARR("")) KEY("list too", "<array/>")
		 KEY("dict", DICT("")) KEY("dict too", "<dict/>") KEY("k&amp;&lt;&#x41;>", STR("v"))
		 KEY("deep", ARR(ARR(DICT(KEY("x", ARR("<true/><false/>" STR("s")))) INT("1"))))
		 KEY("data", "<data>QUJD\nRA==</data>") KEY("no data", "<data></data>") KEY("no data too", "<data/>")
		 KEY("long data", "<data>MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2Rl"
		     "ZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SV</data>")
		 KEY("deep data", DICT(KEY("a", ARR("<data>AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7</data>")))), NULL);
	reply_to("data ten deep", CMD("version") KEY("a", "<array><array><array><array><array><array><array><array><array>"
		 "<data>AAECAwQFBgcICQoLDA0ODxAREhM=</data></array></array></array></array></array></array></array></array></array>"),
		 NULL);
	reply_to("a key twice", CMD("version") KEY("a", INT("1")) KEY("b", INT("2")) KEY("a", STR("3")), NULL);
	reply_to("keys that only a reply has", CMD("version") KEY("error", STR("x")) KEY("warnings", ARR("")) KEY("stats", DICT(""))
		 KEY("errno", INT("7")) KEY("after", STR("y")), NULL);
	reply_to("versions", CMD("version") KEY("version", ARR(INT("0x4") INT("0") INT("0x0") INT("7"))), NULL);
}

static void about_a_device(void)
{
	struct dm_reply r = { .info = some_info };

	reply_to("info", CMD("info") NAME, &r);
	reply_to("info by minor", CMD("info") KEY("minor", INT("3")) KEY("flags", INT("0x800004")) KEY("event_nr", INT("0"))
		 KEY("cmd_data", ARR("")), &r);
	r.info = other_info;
	reply_to("suspend", CMD("suspend") KEY("uuid", STR("U")) KEY("flags", INT("2048")), &r);
	r = (struct dm_reply){ .info = some_info };
	text_add(&r.warnings, "one & one\ntwo");
	reply_to("create with warnings", CMD("create") NAME KEY("table", STR("0 80 zero")) KEY("cwd", STR("/")), &r);
	r = (struct dm_reply){ .info = some_info };
	reply_to("remove", CMD("remove") NAME, &r);
	r = (struct dm_reply){ .n = 0 };
	err_set(&r.err, -ENXIO, "no device is named '\xff\x01<x>'");
	reply_to("a failure", CMD("remove") NAME, &r);
	err_set(&r.err, -EEXIST, "it is taken");
	reply_to("another", CMD("create") NAME, &r);
}

static void lists(void)
{
	static const unsigned version[] = { 1, 4, 0 };
	static struct dm_type_row types[] = { { "linear", "<device> <offset>", "maps & more", version }, { "file", NULL, NULL, NULL } };
	struct dm_info names[] = { some_info, other_info };
	struct dm_row rows[] = { { 0, 8, "linear", "a\\ b 0" }, { 8, 9223372036854775799ull, "zero", "" } };
	struct dm_dep deps[] = { { "/dev/x", 197, 1 }, { "/img \xe9", 0, 0 }, { "/dev/y", 8, 0x12345 } };
	struct dm_reply r = { .types = types, .n = 2 };

	reply_to("targets", CMD("targets"), &r);
	r = (struct dm_reply){ .names = names, .deps = deps, .n = 2 };
	reply_to("names", CMD("names"), &r);
	reply_to("disks", CMD("disks"), &r);
	reply_to("no names", CMD("names"), NULL);
	r = (struct dm_reply){ .info = some_info, .rows = rows, .n = 2 };
	reply_to("table", CMD("table") NAME, &r);
	reply_to("status as text", CMD("status") NAME KEY("text", "<true/>"), &r);
	r = (struct dm_reply){ .info = some_info, .deps = deps, .n = 3 };
	reply_to("deps", CMD("deps") NAME, &r);
}

static void other_answers(void)
{
	struct dm_stats *stats = calloc(1, sizeof(*stats));
	struct dm_reply r = { .info = some_info, .stats = stats };

	stats->ios[DM_READ] = 3;
	stats->ns[DM_WRITE] = INT64_MAX;
	stats->latency[DM_ZEROES][2] = 9;
	reply_to("stats", CMD("stats") NAME, &r);
	free(stats);
	r = (struct dm_reply){ .info = some_info, .answer = "0+8 0\n8+8 \x07" };
	reply_to("message", CMD("message") NAME KEY("message", STR("m")), &r);
	reply_to("export", CMD("export") NAME, &r);
	r = (struct dm_reply){ .session = { .pid = 7, .mount_ns = "mnt:[1]", .major = 252, .user_ns = true } };
	reply_to("session", CMD("session"), &r);
	r = (struct dm_reply){ .answer = "/a\n/b\n" };
	reply_to("mount", CMD("mount"), &r);
}

static void refusals(void)
{
	static const char *const keys[] = { NULL, KEY("a", STR("b")) KEY("version", ARR(INT("9"))) KEY("table", STR("t")) };
	struct err e = ERR_INIT;
	size_t i;

	err_set(&e, -EIO, "the message cannot be read: <a> & so on \xc3");
	for (i = 0; i < 4; i++) {
		struct dict d = { .keys = keys[i % 2] ? parse(keys[i % 2]) : NULL, .met = i > 1 };
		struct text out = TEXT_INIT;

		dict_refuse(&d, &e);
		assert_int_equal(dict_write(&d, &out, &e), 0);
		hear("a refusal", out.s + DICT_HEAD, out.len - DICT_HEAD);
		text_free(&out);
		dict_free(&d);
	}
}

/* What dict_call() sends. The answer is there before it is read. */
static void a_request(void)
{
	static const char answer[] = "\0\0\0\x49<plist><dict><key>errno</key><integer>0x10</integer></dict></plist>     \n";
	plist_t request = plist_new_dict(), list = plist_new_array(), reply = NULL;
	struct err e = ERR_INIT;
	char bytes[8192];
	int fds[2];
	ssize_t n;

	plist_array_append_item(list, plist_new_string("new & <name> \xe9"));
	plist_dict_set_item(request, "command", plist_new_string("rename"));
	plist_dict_set_item(request, "cmd_data", list);
	plist_dict_set_item(request, "flags", plist_new_uint(UINT64_MAX));
	plist_dict_set_item(request, "text", plist_new_bool(1));
	plist_dict_set_item(request, "flags", plist_new_uint(4));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], answer, sizeof(answer) - 1), sizeof(answer) - 1);
	if (dict_call(fds[0], request, &reply, &e))
		fail_msg("%s", e.text);
	assert_int_equal(number(reply, "errno"), 16);
	n = read(fds[1], bytes, sizeof(bytes));
	assert_int_equal(n, 4 + (bytes[2] << 8 | (unsigned char)bytes[3]));
	hear("a request", bytes + 4, (size_t)n - 4);
	plist_free(request);
	plist_free(reply);
	close(fds[0]);
	close(fds[1]);
}

static void compare(const char *path)
{
	FILE *f = fopen(path, "r");
	char *was = malloc(heard.len + 1);
	size_t n, i = 0;

	assert_non_null(f);
	n = fread(was, 1, heard.len + 1, f);
	fclose(f);
	while (i < n && i < heard.len && was[i] == heard.s[i])
		i++;
	if (i < n || i < heard.len)
		fail_msg("byte %zu of %zu differs: %.100s", i, heard.len, heard.s + (i > 50 ? i - 50 : 0));
	free(was);
}

static void messages_are_as_recorded(void **state)
{
	const char *record = getenv("RECORD");
	FILE *f;

	(void)state;
	what_the_client_sent_comes_back();
	about_a_device();
	lists();
	other_answers();
	refusals();
	a_request();
	if (!record) {
		compare(RECORDED);
	} else {
		f = fopen(record, "w");
		assert_non_null(f);
		fputs(text_str(&heard), f);
		fclose(f);
	}
	text_free(&heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(messages_are_as_recorded) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
