/* SPDX-License-Identifier: BSD-2-Clause */
/* Dictionaries for tests: see dicts.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/dicts.h"

/* The property list around KEYS. */
plist_t parse(const char *keys)
{
	struct err e = ERR_INIT;
	plist_t p = NULL;
	char *s;

	assert_true(asprintf(&s, "<plist version=\"1.0\"><dict>%s</dict></plist>", keys) > 0);
	if (dict_parse(s, strlen(s), &p, &e))
		fail_msg("%s: %s", e.text, keys);
	free(s);
	return p;
}

struct dict decode(const char *keys)
{
	struct dict d = { .keys = parse(keys) };
	struct err e = ERR_INIT;

	if (dict_decode(&d, &e))
		fail_msg("%s: %s", e.text, keys);
	return d;
}

/* KEYS are not a command: fails with CODE, and the sentence contains WORD. */
void refused(const char *keys, int code, const char *word)
{
	struct dict d = { .keys = parse(keys) };
	struct err e = ERR_INIT;

	assert_int_equal(dict_decode(&d, &e), code);
	assert_int_equal(e.code, code);
	if (!strstr(e.text, word))
		fail_msg("'%s' is not in: %s", word, e.text);
	dict_free(&d);
}

/* MESSAGE cannot be parsed, and the sentence contains WORD. */
void unreadable(const char *message, size_t n, const char *word)
{
	struct err e = ERR_INIT;
	plist_t p;

	assert_int_equal(dict_parse(message, n, &p, &e), -EIO);
	assert_null(p);
	if (!strstr(e.text, word))
		fail_msg("'%s' is not in: %s", word, e.text);
}

void unreadable_keys(const char *keys, const char *word)
{
	char *s;

	assert_true(asprintf(&s, "<plist>\n<dict>\n%s</dict></plist>", keys) > 0);
	unreadable(s, strlen(s), word);
	free(s);
}

uint64_t number(plist_t dict, const char *key)
{
	plist_t n = plist_dict_get_item(dict, key);
	uint64_t v = UINT64_MAX;

	if (!n || plist_get_node_type(n) != PLIST_UINT)
		fail_msg("no number %s", key);
	v = plist_uint(n);
	return v;
}

const char *string(plist_t dict, const char *key)
{
	plist_t n = plist_dict_get_item(dict, key);

	if (!n || plist_get_node_type(n) != PLIST_STRING)
		fail_msg("no string %s", key);
	return plist_string(n);
}

plist_t item(plist_t dict, const char *key, uint32_t i)
{
	plist_t array = plist_dict_get_item(dict, key);

	assert_int_equal(plist_get_node_type(array), PLIST_ARRAY);
	assert_true(i < plist_size(array));
	return plist_array_get_item(array, i);
}

uint32_t size(plist_t dict, const char *key)
{
	return plist_size(plist_dict_get_item(dict, key));
}

bool has(plist_t dict, const char *key)
{
	return plist_dict_get_item(dict, key);
}

const struct dm_info some_info = {
	.present = true, .name = "vd", .uuid = "u-1", .major = 252, .minor = 3, .live = true, .open_count = 2, .event_nr = 5,
	.target_count = 1, .sectors = 80,
};

/* The reply as a client reads it. Frees D. */
plist_t written(struct dict *d)
{
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;
	uint32_t head;
	plist_t p;

	assert_int_equal(dict_write(d, &out, &e), 0);
	memcpy(&head, out.s, sizeof(head));
	assert_int_equal(ntohl(head), out.len - DICT_HEAD);
	if (dict_parse(out.s + DICT_HEAD, out.len - DICT_HEAD, &p, &e))
		fail_msg("%s", e.text);
	text_free(&out);
	dict_free(d);
	return p;
}

plist_t encoded(struct dict *d)
{
	dict_encode(d);
	return written(d);
}

/* The flags of the reply to a request with flags SENT. */
uint64_t flags_for(const char *command, const char *sent, const struct dm_info *info, int code)
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

char *repeat(const char *a, size_t n, const char *middle, const char *b)
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
