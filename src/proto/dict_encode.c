/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reply -> property list -> bytes: see dict.h. The request's dictionary is edited, as in NetBSD's driver. What every
 * reply may contain is allocated before the command runs, as large as it can get, and only filled in afterwards.
 */
#include <errno.h>
#include <string.h>

#include "proto/dict_encode.h"

#define STATE_FLAGS (DICT_READONLY | DICT_SUSPEND | DICT_EXISTS | DICT_ACTIVE_PRESENT | DICT_INACTIVE_PRESENT | \
		     DICT_DEFERRED_REMOVE)

#define ENCODE_ANSWER 32	/* bytes of a typical answer to a message that changes something */

static bool encode_about_device(enum dm_verb v)
{
	static const unsigned needs[DM_VERBS] = {
#define VERB(id, name, handler, needs, ...) [DM_DO_##id] = needs,
#include "core/command/verbs.list"
	};

	return needs[v] & DM_NEEDS_TELLING;
}

uint32_t dict_state(const struct dm_info *i)
{
	return (i->present ? DICT_EXISTS : 0) | (i->readonly ? DICT_READONLY : 0) |
	       (i->suspended ? DICT_SUSPEND : 0) | (i->live ? DICT_ACTIVE_PRESENT : 0) |
	       (i->inactive ? DICT_INACTIVE_PRESENT : 0) | (i->deferred ? DICT_DEFERRED_REMOVE : 0);
}

/* The device was removed: its info is the last one. */
static bool encode_gone(const struct dm_cmd *c)
{
	return c->verb == DM_DO_REMOVE && !c->reply.err.code && !c->reply.info.deferred;
}

/* Is the kernel's form of a name (or uuid) different from the one that is sent? */
static bool dict_differs(const char *kernel, const char *told)
{
	return *kernel && strcmp(kernel, told);
}

void dict_info(plist_t to, const struct dm_info *i)
{
	dict_set_string(to, "name", i->name);
	dict_set_string(to, "uuid", i->uuid);
	dict_set_number(to, "major", i->major);
	dict_set_number(to, "minor", i->minor);
	dict_set_number(to, "open_count", i->open_count);
	dict_set_number(to, "event_nr", i->event_nr);
	dict_set_number(to, "target_count", i->target_count);
	dict_set_number(to, "sectors", i->sectors);
	if (dict_differs(i->kernel_name, i->name))
		dict_set_string(to, "kernel_name", i->kernel_name);
	if (dict_differs(i->kernel_uuid, i->uuid))
		dict_set_string(to, "kernel_uuid", i->kernel_uuid);
	if (i->has_read_ahead)
		dict_set_number(to, "read_ahead", i->read_ahead);
}

plist_t dict_version(const unsigned *v)
{
	plist_t array = plist_new_array();
	int i;

	for (i = 0; i < 3; i++)
		plist_array_append_item(array, plist_new_uint(v[i]));
	return array;
}

/* A string of N bytes that need the most room in a message. */
static plist_t encode_longest(size_t n)
{
	plist_t s = plist_new_bytes(PLIST_STRING, n);

	if (s)
		memset(plist_bytes(s), '&', n);
	return s;
}

static const unsigned encode_ours[] = { DICT_MAJOR, DICT_MINOR, 0 };
static const char *const encode_numbers[] = { "flags", "major", "minor", "open_count", "event_nr", "target_count", "sectors",
					      "read_ahead", "active_since", "last_event", "errno" };

/* Allocates D->spare. It is lacking if there was no memory. */
static void encode_spare(struct dict *d)
{
	static const struct dm_info *i;
	size_t k;

	d->spare = plist_new_dict();
	plist_dict_add_item(d->spare, "version", dict_version(encode_ours));
	plist_dict_add_item(d->spare, "name", encode_longest(sizeof(i->name) - 1));
	plist_dict_add_item(d->spare, "uuid", encode_longest(sizeof(i->uuid) - 1));
	plist_dict_add_item(d->spare, "kernel_name", encode_longest(sizeof(i->kernel_name) - 1));
	plist_dict_add_item(d->spare, "kernel_uuid", encode_longest(sizeof(i->kernel_uuid) - 1));
	for (k = 0; k < sizeof(encode_numbers) / sizeof(*encode_numbers); k++)
		plist_dict_add_item(d->spare, encode_numbers[k], plist_new_uint(UINT64_MAX));
	plist_dict_add_item(d->spare, "warnings", dict_lines("there were warnings, but no memory for them"));
	plist_dict_add_item(d->spare, "error", encode_longest(ERR_TEXT - 1));
	if (d->cmd.verb == DM_DO_MESSAGE)
		plist_dict_add_item(d->spare, "answer", encode_longest(ENCODE_ANSWER));
	if (d->cmd.verb == DM_DO_STATS)
		plist_dict_add_item(d->spare, "stats", dict_stats_room());
}

/* Puts our version into the first three elements of the client's, whose array may be longer. */
static void encode_our_version(struct dict *d)
{
	plist_t at = plist_first(plist_dict_get_item(d->keys, "version"));
	int i;

	if (!at)
		plist_move(d->keys, d->spare, "version");
	for (i = 0; at && i < 3; i++, at = plist_next(at))
		plist_set_uint(at, encode_ours[i]);
}

/* Replaces the state's bits; the client's other bits are sent back. */
static void encode_flags(struct dict *d)
{
	const struct dm_reply *r = &d->cmd.reply;
	struct err ignored;
	struct dict_reader reader = { d->keys, "", &ignored };
	uint32_t flags = 0;

	if (!r->info.present && !encode_about_device(d->cmd.verb))
		return;
	dict_get_u32(&reader, "flags", &flags);
	flags = (flags & ~STATE_FLAGS) | (r->info.present && !encode_gone(&d->cmd) ? dict_state(&r->info) : 0);
	if (d->cmd.verb == DM_DO_CREATE && r->err.code == -EEXIST)
		flags |= DICT_EXISTS;
	dict_set_number(d->spare, "flags", flags);
	plist_move(d->keys, d->spare, "flags");
}

static void encode_time(struct dict *d, const char *key, uint64_t seconds)
{
	if (!seconds)
		return;
	dict_set_number(d->spare, key, seconds);
	plist_move(d->keys, d->spare, key);
}

static void encode_info(struct dict *d)
{
	static const char *const keys[] = { "name", "uuid", "major", "minor", "open_count", "event_nr", "target_count",
					    "sectors" };
	const struct dm_info *info = &d->cmd.reply.info;
	size_t i;

	dict_info(d->spare, info);
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		plist_move(d->keys, d->spare, keys[i]);
	if (dict_differs(info->kernel_name, info->name))
		plist_move(d->keys, d->spare, "kernel_name");
	if (dict_differs(info->kernel_uuid, info->uuid))
		plist_move(d->keys, d->spare, "kernel_uuid");
	if (info->has_read_ahead)
		plist_move(d->keys, d->spare, "read_ahead");
	if (d->cmd.verb == DM_DO_INFO) {
		encode_time(d, "active_since", info->active_since);
		encode_time(d, "last_event", info->last_event);
	}
}

static void encode_warnings(struct dict *d)
{
	const struct text *warnings = &d->cmd.reply.warnings;

	if (warnings->failed || (*text_str(warnings) && !dict_hang(d->keys, "warnings", dict_lines(text_str(warnings)))))
		plist_move(d->keys, d->spare, "warnings");
}

/* Removes keys that only a reply has: a client's own must not be mistaken for ours. */
static void encode_clean(struct dict *d)
{
	static const char *const ours[] = { "error", "warnings", "table", "deps", "answer", "uris", "stats", "mounts", "disks",
					    "session", "uses", "kernel_name", "kernel_uuid",
					    "read_ahead" };
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		plist_dict_remove_item(d->keys, ours[i]);
}

static void encode_ready(struct dict *d)
{
	if (d->spare)
		return;
	encode_spare(d);
	encode_clean(d);
}

static void encode_outcome(struct dict *d, const struct err *e)
{
	dict_set_number(d->spare, "errno", dict_errno(e->code));
	plist_move(d->keys, d->spare, "errno");
	if (e->code) {
		dict_set_string(d->spare, "error", e->text);
		plist_move(d->keys, d->spare, "error");
	}
	if (!plist_dict_get_item(d->keys, "errno") || (e->code && !plist_dict_get_item(d->keys, "error")))
		plist_dict_set_item(d->keys, "errno", NULL);	/* without it, the reply is not written */
}

void dict_encode(struct dict *d)
{
	struct dm_reply *r = &d->cmd.reply;

	encode_ready(d);
	encode_our_version(d);
	encode_flags(d);
	if (r->info.present)
		encode_info(d);
	encode_warnings(d);
	if (!r->err.code)
		dict_add_result(d);
	encode_outcome(d, &r->err);
	dm_reply_free(r);
	*r = (struct dm_reply){ .n = 0 };
}

void dict_refuse(struct dict *d, const struct err *e)
{
	if (!d->keys)
		d->keys = plist_new_dict();
	encode_ready(d);
	if (d->met)
		encode_our_version(d);
	encode_outcome(d, e);
}

void dict_cut(struct dict *d, const struct err *e)
{
	plist_t at;

	plist_move(d->spare, d->keys, "errno");
	plist_move(d->spare, d->keys, "error");
	while ((at = plist_first(d->keys)))
		plist_dict_remove_item(d->keys, plist_key(at));
	encode_outcome(d, e);
}

bool dict_drop_warnings(struct dict *d)
{
	if (!plist_dict_get_item(d->keys, "warnings") || !plist_dict_get_item(d->spare, "warnings"))
		return false;
	plist_move(d->keys, d->spare, "warnings");
	return true;
}

#define ENCODE_FEW 4096u	/* bytes for which it is not worth while to know how many there are */

/* Is there room in OUT for the longest reply, and for what is left of the request? How long that is, is tried if it may be long. */
static int encode_room(const struct dict *d, struct text *out, struct err *e)
{
	size_t at = out->len, most = plist_most(d->keys);
	bool few = most <= ENCODE_FEW;
	int r = 0;

	if (!text_room(out, d->longest + (few ? most : 0)))
		r = err_set(e, -ENOMEM, "no memory for the message");
	if (!r && !few)
		r = dict_frame(d->keys, out, e);
	text_cut(out, at);
	return r;
}

int dict_prepare(struct dict *d, struct text *out, struct err *e)
{
	bool whole;

	encode_spare(d);
	whole = plist_whole(d->spare);
	d->longest = DICT_HEAD + plist_most(d->spare);
	plist_move(d->spare, d->keys, "table");		/* the command's text is in it, and is kept */
	encode_clean(d);
	return whole ? encode_room(d, out, e) : err_set(e, -ENOMEM, "no memory for the message");
}

bool dict_room(struct dict *d, size_t n, struct text *out)
{
	plist_t answer = encode_longest(n);

	if (!dict_hang(d->spare, "answer", answer))
		return false;
	d->longest += plist_most(answer);
	return !encode_room(d, out, NULL);
}

void dict_text_read(struct dict *d)
{
	plist_dict_remove_item(d->spare, "table");
	d->cmd.text = NULL;
}

int dict_write(const struct dict *d, struct text *out, struct err *e)
{
	return dict_frame(d->keys, out, e);
}

#define NO_MEMORY "<plist version=\"1.0\"><dict><key>errno</key><integer>12</integer><key>error</key>" \
		  "<string>no memory for the command</string></dict></plist>\n"

_Static_assert(sizeof(NO_MEMORY) - 1 < 256, "its length is one byte");

const char *dict_no_memory(size_t *n)
{
	static const struct {
		unsigned char head[DICT_HEAD];
		char message[sizeof(NO_MEMORY)];
	} all = { { 0, 0, 0, sizeof(NO_MEMORY) - 1 }, NO_MEMORY };

	*n = sizeof(all) - 1;
	return (const char *)&all;
}
