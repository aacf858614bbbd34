/* SPDX-License-Identifier: BSD-2-Clause */
/* Reply -> property list -> bytes: see dict.h. The request's dictionary is edited, as NetBSD's driver does it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dict_keys.h"

#define STATE_FLAGS (DICT_READONLY | DICT_SUSPEND | DICT_EXISTS | DICT_ACTIVE_PRESENT | DICT_INACTIVE_PRESENT | \
		     DICT_DEFERRED_REMOVE)

static bool encode_about_device(enum dm_verb v)
{
	return v != DM_DO_VERSION && v != DM_DO_TARGETS && v != DM_DO_STORES && v != DM_DO_NAMES && v != DM_DO_CHECK &&
	       v != DM_DO_REMOVE_ALL && v != DM_DO_MOUNT && v != DM_DO_UMOUNT && v != DM_DO_DISKS && v != DM_DO_SESSION &&
	       v != DM_DO_SHUTDOWN;
}

static uint32_t encode_state(const struct dm_info *i)
{
	return (i->present ? DICT_EXISTS : 0) | (i->readonly ? DICT_READONLY : 0) |
	       (i->suspended ? DICT_SUSPEND : 0) | (i->live ? DICT_ACTIVE_PRESENT : 0) |
	       (i->inactive ? DICT_INACTIVE_PRESENT : 0) | (i->deferred ? DICT_DEFERRED_REMOVE : 0);
}

/* Its info is of the last moment of the device. */
static bool encode_gone(const struct dm_cmd *c)
{
	return c->verb == DM_DO_REMOVE && !c->reply.err.code && !c->reply.info.deferred;
}

/* The state's bits are the truth; what else the client sent comes back. */
static void encode_flags(const struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	struct err ignored;
	struct dict_reader reader = { d->keys, "", &ignored };
	uint32_t flags = 0;

	if (!r->info.present && !encode_about_device(d->cmd.verb))
		return;
	dict_get_u32(&reader, "flags", &flags);
	flags = (flags & ~STATE_FLAGS) | (r->info.present && !encode_gone(&d->cmd) ? encode_state(&r->info) : 0);
	if (d->cmd.verb == DM_DO_CREATE && r->err.code == -EEXIST)
		flags |= DICT_EXISTS;
	dict_set_number(d->keys, "flags", flags);
}

static void encode_info(plist_t to, const struct dm_info *i)
{
	dict_set_string(to, "name", i->name);
	dict_set_string(to, "uuid", i->uuid);
	dict_set_number(to, "major", i->major);
	dict_set_number(to, "minor", i->minor);
	dict_set_number(to, "open_count", i->open_count);
	dict_set_number(to, "event_nr", i->event_nr);
	dict_set_number(to, "target_count", i->target_count);
	dict_set_number(to, "sectors", i->sectors);
}

static plist_t encode_version(const unsigned *v)
{
	plist_t array = plist_new_array();
	int i;

	for (i = 0; i < 3; i++)
		plist_array_append_item(array, plist_new_uint(v[i]));
	return array;
}

/* Our version over the first three of the client's, whose own array may be longer. */
static void encode_our_version(plist_t keys)
{
	static const unsigned ours[] = { DICT_MAJOR, DICT_MINOR, 0 };
	plist_t array = plist_dict_get_item(keys, "version");
	uint32_t i;

	if (!array)
		plist_dict_set_item(keys, "version", encode_version(ours));
	for (i = 0; array && i < 3; i++)
		plist_array_set_item(array, plist_new_uint(ours[i]), i);
}

static void encode_types(const struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		dict_set_string(dict, "name", r->types[i].name);
		if (r->types[i].version)
			plist_dict_set_item(dict, "ver", encode_version(r->types[i].version));
		dict_set_string(dict, "usage", r->types[i].usage ? r->types[i].usage : "");
		dict_set_string(dict, "about", r->types[i].about ? r->types[i].about : "");
		plist_array_append_item(list, dict);
	}
	plist_dict_set_item(d->keys, "cmd_data", list);
}

static void encode_names(const struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		encode_info(dict, &r->names[i]);
		dict_set_number(dict, "dev", r->names[i].minor);
		dict_set_number(dict, "flags", encode_state(&r->names[i]));
		plist_array_append_item(list, dict);
	}
	plist_dict_set_item(d->keys, "cmd_data", list);
}

/* Each disk, and the word that opened what it shows. */
static void encode_disks(const struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		dict = plist_new_dict();
		encode_info(dict, &r->names[i]);
		dict_set_string(dict, "file", r->deps[i].name ? r->deps[i].name : "");
		dict_set_number(dict, "flags", encode_state(&r->names[i]));
		plist_array_append_item(list, dict);
	}
	plist_dict_set_item(d->keys, "disks", list);
}

/* NetBSD's dev_t. A file has none. */
static uint64_t encode_dev(uint32_t major, uint32_t minor)
{
	return ((uint64_t)(major << 8) & 0xfff00) | ((uint64_t)(minor << 12) & 0xfff00000) | (minor & 0xff);
}

static void encode_deps(const struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	plist_t numbers = plist_new_array(), list = plist_new_array(), dict;
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct dm_dep *p = &r->deps[i];

		dict = plist_new_dict();
		dict_set_string(dict, "name", p->name ? p->name : "");
		dict_set_number(dict, "major", p->major);
		dict_set_number(dict, "minor", p->minor);
		plist_array_append_item(list, dict);
		if (p->major || p->minor)
			plist_array_append_item(numbers, plist_new_uint(encode_dev(p->major, p->minor)));
	}
	plist_dict_set_item(d->keys, "cmd_data", numbers);
	plist_dict_set_item(d->keys, "deps", list);
}

/* All lines as one string: `start length target words`, each with a newline. */
static int encode_text(struct dict *d)
{
	struct dm_reply *r = &d->cmd.reply;
	struct text t = TEXT_INIT;
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
	arena_free(&r->arena);		/* there may be a million: not three times */
	r->n = 0;
	if (!t.failed)
		dict_set_string(d->keys, "table", text_str(&t));
	text_free(&t);
	return t.failed ? err_set(&r->err, -ENOMEM, "no memory for an answer of that many table lines") : 0;
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
		return err_set(&r->err, -EMSGSIZE, "the table has %zu lines; over %d come only as one string: ask with the "
			       "key `text` true", r->n, DICT_ROWS_MAX);
	list = plist_new_array();
	for (i = 0; i < r->n; i++)
		plist_array_append_item(list, encode_row(&r->rows[i]));
	plist_dict_set_item(d->keys, "cmd_data", list);
	return 0;
}

static plist_t encode_counters(const struct dm_stats *s, enum dm_op op)
{
	plist_t dict = plist_new_dict(), latency = plist_new_array();
	int i;

	dict_set_number(dict, "ios", s->ios[op]);
	dict_set_number(dict, "sectors", s->sectors[op]);
	dict_set_number(dict, "errors", s->errors[op]);
	dict_set_number(dict, "ns", s->ns[op]);
	for (i = 0; i < DM_BUCKETS; i++)
		plist_array_append_item(latency, plist_new_uint(s->latency[op][i]));
	plist_dict_set_item(dict, "latency", latency);
	return dict;
}

static void encode_stats(const struct dict *d)
{
	static const char *const names[] = {
		[DM_READ] = "read", [DM_WRITE] = "write", [DM_FLUSH] = "flush", [DM_DISCARD] = "discard",
		[DM_ZEROES] = "zeroes",
	};
	plist_t stats = plist_new_dict();
	size_t op;

	for (op = 0; op < sizeof(names) / sizeof(*names); op++)
		plist_dict_set_item(stats, names[op], encode_counters(d->cmd.reply.stats, (enum dm_op)op));
	plist_dict_set_item(d->keys, "stats", stats);
}

/* An array of strings from lines; a last line may lack its newline. */
static plist_t encode_lines(const char *s)
{
	plist_t list = plist_new_array();
	size_t n;
	char *line;

	for (; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		line = strndup(s, n);
		if (line)
			plist_array_append_item(list, dict_string(line));
		free(line);
	}
	return list;
}

static void encode_session(const struct dict *d)
{
	const struct dm_session *s = &d->cmd.reply.session;
	plist_t dict = plist_new_dict();

	dict_set_number(dict, "pid", (uint64_t)s->pid);
	dict_set_string(dict, "mount_ns", s->mount_ns);
	dict_set_number(dict, "major", s->major);
	plist_dict_set_item(dict, "user_ns", plist_new_bool(s->user_ns));
	plist_dict_set_item(d->keys, "session", dict);
}

static int encode_result(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;

	switch (d->cmd.verb) {
	case DM_DO_TARGETS:
	case DM_DO_STORES:
		encode_types(d);
		return 0;
	case DM_DO_NAMES:
		encode_names(d);
		return 0;
	case DM_DO_DISKS:
		encode_disks(d);
		return 0;
	case DM_DO_STATUS:
	case DM_DO_TABLE:
		return encode_rows(d);
	case DM_DO_CHECK:
		if (d->details)
			dict_set_string(d->keys, "uses", r->answer ? r->answer : "");
		return encode_rows(d);
	case DM_DO_DEPS:
		encode_deps(d);
		return 0;
	case DM_DO_STATS:
		encode_stats(d);
		return 0;
	case DM_DO_MESSAGE:
		if (r->answer)
			dict_set_string(d->keys, "answer", r->answer);
		return 0;
	case DM_DO_MOUNT:
		if (!d->cmd.directory)
			plist_dict_set_item(d->keys, "mounts", encode_lines(r->answer ? r->answer : ""));
		return 0;
	case DM_DO_SESSION:
		encode_session(d);
		return 0;
	case DM_DO_EXPORT:
		plist_dict_set_item(d->keys, "uris", encode_lines(r->answer));
		return 0;
	default:
		return 0;
	}
}

/* Keys that only a reply has: a client's own must not be taken for ours. */
static void encode_clean(plist_t keys)
{
	static const char *const ours[] = { "error", "warnings", "table", "deps", "answer", "uris", "stats", "mounts", "disks",
					    "session", "uses" };
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		dict_drop(keys, ours[i]);
}

static void encode_outcome(plist_t keys, const struct err *e)
{
	dict_set_number(keys, "errno", dict_errno(e->code));
	if (e->code)
		dict_set_string(keys, "error", e->text);
}

void dict_encode(struct dict *d)
{
	struct dm_reply *r = &d->cmd.reply;

	encode_clean(d->keys);
	encode_our_version(d->keys);
	encode_flags(d);
	if (r->info.present)
		encode_info(d->keys, &r->info);
	if (*text_str(&r->warnings))
		plist_dict_set_item(d->keys, "warnings", encode_lines(text_str(&r->warnings)));
	if (!r->err.code)
		encode_result(d);
	encode_outcome(d->keys, &r->err);
	dm_reply_free(r);
	*r = (struct dm_reply){ .n = 0 };
}

void dict_refuse(struct dict *d, const struct err *e)
{
	if (!d->keys)
		d->keys = plist_new_dict();
	encode_clean(d->keys);
	if (d->met)
		encode_our_version(d->keys);
	encode_outcome(d->keys, e);
}

int dict_write(const struct dict *d, char **bytes, size_t *n, struct err *e)
{
	char *xml = NULL, *grown;
	uint32_t len = 0, head;

	plist_to_xml(d->keys, &xml, &len);
	grown = xml && len <= DICT_FRAME_MAX ? realloc(xml, (size_t)len + sizeof(head)) : NULL;
	if (!grown) {
		free(xml);
		return len > DICT_FRAME_MAX ?
		       err_set(e, -EMSGSIZE, "the answer would have %u bytes; %u are the most", len, DICT_FRAME_MAX) :
		       err_set(e, -ENOMEM, "no memory for the answer");
	}
	memmove(grown + sizeof(head), grown, len);
	head = htonl(len);
	memcpy(grown, &head, sizeof(head));
	*bytes = grown;
	*n = (size_t)len + sizeof(head);
	return 0;
}
