/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The results of commands beside what every reply contains: lists, tables, counters. Reply -> nodes; see dict_encode.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/dict_encode.h"

/* If there is no memory for all of it, nothing is added. */
static int result_set(struct dict *d, const char *key, plist_t node)
{
	if (dict_hang(d->keys, key, node))
		return 0;
	return err_set(&d->cmd.reply.err, -ENOMEM, "no memory for the answer");
}

static int encode_types(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		dict_set_string(dict, "name", r->types[i].name);
		if (r->types[i].version)
			plist_dict_set_item(dict, "ver", dict_version(r->types[i].version));
		dict_set_string(dict, "usage", r->types[i].usage ? r->types[i].usage : "");
		dict_set_string(dict, "about", r->types[i].about ? r->types[i].about : "");
		plist_array_append_item(list, dict);
	}
	return result_set(d, "cmd_data", list);
}

static plist_t encode_dep_list(const struct dm_dep *deps, size_t n)
{
	plist_t list = plist_new_array(), dict;
	const struct dm_dep *p;

	for (p = deps; p < deps + n; p++) {
		dict = plist_new_dict();
		dict_set_string(dict, "name", p->name ? p->name : "");
		dict_set_number(dict, "major", p->major);
		dict_set_number(dict, "minor", p->minor);
		plist_array_append_item(list, dict);
	}
	return list;
}

static int encode_names(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	const struct dm_dep *deps = r->deps;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		dict_info(dict, &r->names[i]);
		dict_set_number(dict, "dev", r->names[i].minor);
		dict_set_number(dict, "flags", dict_state(&r->names[i]));
		if (r->n_deps) {
			plist_dict_set_item(dict, "deps", encode_dep_list(deps, r->n_deps[i]));
			deps += r->n_deps[i];
		}
		plist_array_append_item(list, dict);
	}
	return result_set(d, "cmd_data", list);
}

/* Each disk, and the word that was opened for it. */
static int encode_disks(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		dict_info(dict, &r->names[i]);
		dict_set_string(dict, "file", r->deps[i].name);
		dict_set_number(dict, "flags", dict_state(&r->names[i]));
		plist_array_append_item(list, dict);
	}
	return result_set(d, "disks", list);
}

/* NetBSD's dev_t. A file has none. */
static uint64_t encode_dev(uint32_t major, uint32_t minor)
{
	return ((uint64_t)(major << 8) & 0xfff00) | ((uint64_t)(minor << 12) & 0xfff00000) | (minor & 0xff);
}

static int encode_deps(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t numbers = plist_new_array();
	const struct dm_dep *p;

	for (p = r->deps; p < r->deps + r->n; p++)
		if (p->major || p->minor)
			plist_array_append_item(numbers, plist_new_uint(encode_dev(p->major, p->minor)));
	return result_set(d, "cmd_data", numbers) | result_set(d, "deps", encode_dep_list(r->deps, r->n));
}

/* All lines as one string: `start length target words`, each with a newline. */
static int encode_text(struct dict *d)
{
	struct dm_reply *r = &d->cmd.reply;
	struct text t = TEXT_SECRET;
	plist_t string;
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct dm_row *row = &r->rows[i];

		text_printf(&t, "%llu %llu ", (unsigned long long)row->start, (unsigned long long)row->len);
		text_add(&t, row->type);
		if (*row->params)
			text_add(&t, " ");
		text_add(&t, row->params);
		text_add(&t, "\n");
	}
	arena_wipe(&r->arena);		/* there may be a million lines: not three copies */
	r->n = 0;
	string = t.failed ? NULL : plist_new_string(text_str(&t));
	text_free(&t);
	return result_set(d, "table", string);
}

static plist_t encode_row(const struct dm_row *row)
{
	plist_t dict = plist_new_dict();

	dict_set_number(dict, "start", row->start);
	dict_set_number(dict, "length", row->len);
	dict_set_string(dict, "type", row->type);
	dict_set_number(dict, "status", 0);
	dict_set_string(dict, "params", row->params);
	return dict;
}

static int encode_rows(struct dict *d)
{
	struct dm_reply *r = &d->cmd.reply;
	plist_t list;
	size_t i;

	if (d->text)
		return encode_text(d);
	if (r->n > DICT_ROWS_MAX)
		return err_set(&r->err, -EMSGSIZE, "the table has %zu lines; more than %d can only be returned as one "
			       "string: set the "
			       "key `text` to true", r->n, DICT_ROWS_MAX);
	list = plist_new_array();
	for (i = 0; i < r->n; i++)
		plist_array_append_item(list, encode_row(&r->rows[i]));
	return result_set(d, "cmd_data", list);
}

plist_t dict_lines(const char *s)
{
	plist_t list = plist_new_array();
	size_t n;

	for (; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		plist_array_append_item(list, dict_string_n(s, n));
	}
	return list;
}

/* Each line is one word as in a table, so that it can be any path. */
static int encode_mount_list(struct dict *d)
{
	const char *answer = d->cmd.reply.answer;
	char *lines = strdup(answer ? answer : ""), *at = lines, *path;
	plist_t list = plist_new_array();

	while (at && (path = words_next(&at, NULL)))
		plist_array_append_item(list, plist_new_string(path));
	if (!lines)
		plist_array_append_item(list, NULL);
	free(lines);
	return result_set(d, "mounts", list);
}

static int encode_mounts(struct dict *d)
{
	return d->cmd.directory ? 0 : encode_mount_list(d);
}

static int encode_session(struct dict *d)
{
	const struct dm_session *s = &d->cmd.reply.session;
	plist_t dict = plist_new_dict();

	dict_set_number(dict, "pid", (uint64_t)s->pid);
	dict_set_string(dict, "mount_ns", s->mount_ns);
	dict_set_number(dict, "major", s->major);
	plist_dict_set_item(dict, "user_ns", plist_new_bool(s->user_ns));
	return result_set(d, "session", dict);
}

static const char *const counted[] = {
	[DM_READ] = "read", [DM_WRITE] = "write", [DM_FLUSH] = "flush", [DM_DISCARD] = "discard", [DM_ZEROES] = "zeroes",
};

#define COUNTED (sizeof(counted) / sizeof(*counted))

static plist_t stats_room(void)
{
	plist_t dict = plist_new_dict(), latency = plist_new_array();
	static const char *const keys[] = { "ios", "sectors", "errors", "ns" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		plist_dict_set_item(dict, keys[i], plist_new_uint(UINT64_MAX));
	for (i = 0; i < DM_BUCKETS; i++)
		plist_array_append_item(latency, plist_new_uint(UINT64_MAX));
	plist_dict_set_item(dict, "latency", latency);
	return dict;
}

plist_t dict_stats_room(void)
{
	plist_t stats = plist_new_dict();
	size_t op;

	for (op = 0; op < COUNTED; op++)
		plist_dict_set_item(stats, counted[op], stats_room());
	return stats;
}

/* In place, because counters that were reset must not get lost. */
static void encode_counters(plist_t dict, const struct dm_stats *s, enum dm_op op)
{
	plist_t at = plist_first(plist_dict_get_item(dict, "latency"));
	int i;

	dict_set_number(dict, "ios", s->ios[op]);
	dict_set_number(dict, "sectors", s->sectors[op]);
	dict_set_number(dict, "errors", s->errors[op]);
	dict_set_number(dict, "ns", s->ns[op]);
	for (i = 0; i < DM_BUCKETS; i++, at = plist_next(at))
		plist_set_uint(at, s->latency[op][i]);
}

static int encode_stats(struct dict *d)
{
	plist_t stats = plist_dict_get_item(d->spare, "stats");
	size_t op;

	for (op = 0; op < COUNTED; op++)
		encode_counters(plist_dict_get_item(stats, counted[op]), d->cmd.reply.stats, (enum dm_op)op);
	plist_move(d->keys, d->spare, "stats");
	return 0;
}

/* If there is a node for it already, it needs no memory. */
static int encode_answer(struct dict *d)
{
	const char *answer = d->cmd.reply.answer;

	if (!answer)
		return 0;
	if (strlen(answer) > plist_room(plist_dict_get_item(d->spare, "answer")))
		return result_set(d, "answer", plist_new_string(answer));
	dict_set_string(d->spare, "answer", answer);
	plist_move(d->keys, d->spare, "answer");
	return 0;
}

static int encode_meaning(struct dict *d)
{
	const char *uses = d->cmd.reply.answer;

	if (d->details && result_set(d, "uses", plist_new_string(uses ? uses : "")))
		return -ENOMEM;
	return encode_rows(d);
}

static int encode_uris(struct dict *d)
{
	return result_set(d, "uris", dict_lines(d->cmd.reply.answer));
}

static int encode_nothing(struct dict *d)
{
	(void)d;
	return 0;
}

int dict_add_result(struct dict *d)
{
	static int (*const tells[DM_VERBS])(struct dict *d) = {
#define VERB(id, name, handler, needs, others, brings, tells) [DM_DO_##id] = encode_##tells,
#include "core/command/verbs.list"
	};

	return tells[d->cmd.verb](d);
}
