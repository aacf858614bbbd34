/* SPDX-License-Identifier: BSD-2-Clause */
/* The world without a daemon: see local.h. It has one io thread, listens nowhere, and no device ever gets into it. */
#include "cmd/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/keys.h"
#include "core/command.h"
#include "core/world.h"
#include "stores/stores.h"
#include "targets/targets.h"

struct local {
	struct loop *loop;
	struct dm_world *world;
};

int local_new(struct local **out, struct err *e)
{
	struct dm_world_opts o = { .types = dm_types, .store_types = dm_store_types, .io_threads = 1, .engine = AIO_POOL };
	struct local *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(e, -ENOMEM, "no memory");
	r = loop_new(&l->loop, e);
	o.loop = l->loop;
	if (!r)
		r = dm_world_new(&l->world, &o, e);
	if (r)
		local_free(l);
	else
		*out = l;
	return r;
}

void local_free(struct local *l)
{
	if (l->world)
		dm_world_free(l->world);
	loop_free(l->loop);
	free(l);
}

static plist_t local_types(const struct dm_reply *r)
{
	plist_t out = plist_new_array(), row, version;
	size_t i;
	int v;

	for (i = 0; i < r->n; i++) {
		row = plist_new_dict();
		key_set_text(row, "name", r->types[i].name);
		version = plist_new_array();
		for (v = 0; r->types[i].version && v < 3; v++)
			plist_array_append_item(version, plist_new_uint(r->types[i].version[v]));
		plist_dict_set_item(row, "ver", version);
		key_set_text(row, "usage", r->types[i].usage);
		key_set_text(row, "about", r->types[i].about);
		plist_array_append_item(out, row);
	}
	return out;
}

static plist_t local_rows(const struct dm_reply *r)
{
	plist_t out = plist_new_array(), row;
	size_t i;

	for (i = 0; i < r->n; i++) {
		row = plist_new_dict();
		key_set_u64(row, "start", r->rows[i].start);
		key_set_u64(row, "length", r->rows[i].len);
		key_set_text(row, "type", r->rows[i].type);
		key_set_text(row, "params", r->rows[i].params);
		plist_array_append_item(out, row);
	}
	return out;
}

static plist_t local_sentences(const char *lines)
{
	plist_t out = plist_new_array();
	char *copy = strdup(lines), *at = copy, *line;

	while (at && (line = strsep(&at, "\n")))
		if (*line)
			plist_array_append_item(out, plist_new_string(line));
	free(copy);
	return out;
}

/* What each command is here. The rest are about a device, and asking for it says that it does not exist. */
static enum dm_verb local_verb(const char *command)
{
	static const struct {
		const char *name;
		enum dm_verb verb;
	} verbs[] = {
		{ "version", DM_DO_VERSION }, { "targets", DM_DO_TARGETS }, { "stores", DM_DO_STORES },
		{ "names", DM_DO_NAMES }, { "check", DM_DO_CHECK }, { "remove_all", DM_DO_REMOVE_ALL },
	};
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, command))
			return verbs[i].verb;
	return DM_DO_INFO;
}

static plist_t local_reply(enum dm_verb verb, const struct dm_reply *r)
{
	plist_t out = plist_new_dict();

	if (verb == DM_DO_TARGETS || verb == DM_DO_STORES)
		plist_dict_set_item(out, "cmd_data", local_types(r));
	else if (verb == DM_DO_CHECK)
		plist_dict_set_item(out, "cmd_data", local_rows(r));
	plist_dict_set_item(out, "warnings", local_sentences(text_str(&r->warnings)));
	return out;
}

int local_call(struct local *l, plist_t request, plist_t *reply, struct err *e)
{
	char *table = strdup(key_text(request, "table"));
	struct dm_cmd c = {
		.verb = local_verb(key_text(request, "command")), .name = key_text(request, "name"),
		.flags = DM_WITH_SIZES | (key_flag(request, KEY_READONLY) ? DM_WITH_READONLY : 0),
		.text = table, .cwd = key_text(request, "cwd"),
	};
	int r = dm_do_now(l->world, &c);

	*reply = r ? NULL : local_reply(c.verb, &c.reply);
	if (r)
		err_set(e, r, "%s", c.reply.err.text);
	dm_reply_free(&c.reply);
	free(table);
	return r;
}
