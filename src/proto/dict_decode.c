/* SPDX-License-Identifier: BSD-2-Clause */
/* Property list -> command: see dict.h. Each key is looked up by name and type, so a dictionary may contain anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/done.h"
#include "proto/dict_keys.h"
#include "proto/dict_several.h"

/* The client's protocol version: its major must be ours, its minor not newer. A client without a version accepts any. */
static int decode_version(const struct dict_reader *r)
{
	uint64_t v[3] = { 0, 0, 0 };
	plist_t array, n;
	uint32_t i;

	if (dict_get_array(r, "version", &array))
		return r->e->code;
	if (!array)
		return 0;
	for (i = 0, n = plist_first(array); i < 3; i++, n = plist_next(n)) {
		if (plist_get_node_type(n) != PLIST_UINT)
			return err_set(r->e, -EINVAL, "key `version` must be an array of 3 integers, as %u %u 0", DICT_MAJOR,
				       DICT_MINOR);
		v[i] = plist_uint(n);
	}
	if (v[0] == DICT_MAJOR && v[1] <= DICT_MINOR)
		return 0;
	return err_set(r->e, -EIO, "the client uses version %llu.%llu of the protocol; the daemon has %u.%u, and a "
		       "client's "
		       "minor number must not be higher", (unsigned long long)v[0], (unsigned long long)v[1], DICT_MAJOR,
		       DICT_MINOR);
}

static int decode_flags(const struct dict_reader *r, struct dm_cmd *c, uint32_t *flags)
{
	static const struct {
		uint32_t bit, with;
	} known[] = {
		{ DICT_READONLY, DM_WITH_READONLY }, { DICT_NOFLUSH, DM_WITH_NOFLUSH },
		{ DICT_SKIP_LOCKFS, DM_WITH_NOLOCKFS },
		{ DICT_QUERY_INACTIVE, DM_WITH_INACTIVE }, { DICT_DEFERRED_REMOVE, DM_WITH_DEFERRED },
	};
	static const struct {
		const char *key;
		uint32_t with;
	} said[] = { { "force", DM_WITH_FORCE }, { "reset", DM_WITH_RESET }, { "sizes", DM_WITH_SIZES },
		     { "with_deps", DM_WITH_DEPS } };
	size_t i;
	bool on;

	if (dict_get_u32(r, "flags", flags))
		return r->e->code;
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		c->flags |= *flags & known[i].bit ? known[i].with : 0;
	for (i = 0; i < sizeof(said) / sizeof(*said); i++) {
		on = false;
		if (dict_get_bool(r, said[i].key, &on))
			return r->e->code;
		c->flags |= on ? said[i].with : 0;
	}
	if (c->verb == DM_DO_STATUS && (*flags & DICT_STATUS_TABLE))
		c->verb = DM_DO_TABLE;		/* that is how NetBSD's clients ask for it */
	return 0;
}

/* How names and uuids are to be read: in the plain form, unless the client says otherwise. */
static int decode_mangle(const struct dict_reader *r, struct dm_cmd *c)
{
	const char *how = "auto";

	if (dict_get_string(r, "mangle", &how))
		return r->e->code;
	if (!strcmp(how, "none"))
		c->flags |= DM_WITH_KERNEL_NAMES;
	else if (!strcmp(how, "hex"))
		c->flags |= DM_WITH_HEX;
	else if (strcmp(how, "auto"))
		return err_set(r->e, -EINVAL, "invalid mangling mode '%.40s': must be auto, hex or none", how);
	return 0;
}

/* The device: by minor if that is above 0; for a new device the minor counts only if it is to be persistent. */
static int decode_device(const struct dict_reader *r, struct dm_cmd *c, uint32_t flags)
{
	bool pinned = c->verb == DM_DO_CREATE && (flags & DICT_PERSISTENT_DEV);

	if (dict_get_string(r, "name", &c->name) || dict_get_string(r, "uuid", &c->uuid) ||
	    dict_get_u32(r, "minor", &c->minor))
		return r->e->code;
	if (pinned && dict_need(r, "minor", "the flag PERSISTENT_DEV requires a minor number"))
		return r->e->code;
	c->has_minor = pinned || (c->verb != DM_DO_CREATE && c->minor > 0);
	return 0;
}

static int decode_line(plist_t dict, size_t number, struct dm_line *line, struct err *e)
{
	char where[40];
	struct dict_reader r = { dict, where, e };

	snprintf(where, sizeof(where), "table line %zu: ", number);
	if (plist_get_node_type(dict) != PLIST_DICT)
		return err_set(e, -EINVAL, "%s`cmd_data` holds %s; each line is a dictionary", where, dict_type_name(dict));
	if (dict_need(&r, "start", "the first sector of the line") || dict_get_u64(&r, "start", &line->start) ||
	    dict_need(&r, "length", "the number of sectors of the line") || dict_get_u64(&r, "length", &line->len) ||
	    dict_need(&r, "type", "the name of the target") || dict_get_string(&r, "type", &line->type) ||
	    dict_need(&r, "params", "the parameters of the target, may be an empty string") ||
	    dict_get_string(&r, "params", &line->params))
		return e->code;
	return 0;
}

static int decode_lines(struct dict *d, plist_t array, struct err *e)
{
	uint32_t n = plist_size(array), i = 0;
	struct dm_line *lines = arena_alloc(&d->arena, n * sizeof(*lines) + 1);
	plist_t at;
	int code = 0;

	if (!lines)
		return err_set(e, -ENOMEM, "no memory for a table of %u lines", n);
	for (at = plist_first(array); !code && at; at = plist_next(at), i++)
		code = decode_line(at, i + 1, &lines[i], e);
	d->cmd.lines = lines;
	d->cmd.n_lines = n;
	return code;
}

static int decode_cwd(const struct dict_reader *r, struct dm_cmd *c)
{
	if (dict_get_string(r, "cwd", &c->cwd))
		return r->e->code;
	if (c->cwd && *c->cwd != '/')
		return err_set(r->e, -EINVAL, "key `cwd` is '%.200s'; it must be an absolute path", c->cwd);
	return 0;
}

static int decode_perhaps_table(struct dict *d, const struct dict_reader *r)
{
	const char *text = NULL;
	plist_t array;

	if (decode_cwd(r, &d->cmd) || dict_get_string(r, "table", &text) || dict_get_array(r, "cmd_data", &array))
		return r->e->code;
	if (text && plist_size(array))
		return err_set(r->e, -EINVAL, "`table` and `cmd_data` are mutually exclusive");
	/* The string belongs to our property list; the core may split it into words in place. */
	d->cmd.text = (char *)text;
	return array && !text ? decode_lines(d, array, r->e) : 0;
}

static int decode_table(struct dict *d, const struct dict_reader *r)
{
	int code = decode_perhaps_table(d, r);

	if (code || dict_has(d->keys, "table") || dict_has(d->keys, "cmd_data"))
		return code;
	return err_set(r->e, -EINVAL, "the table is missing: pass it as text in `table` or as an array of "
		       "dictionaries in `cmd_data`");
}

/* Element 0 of cmd_data, a string. */
static int decode_one(const struct dict_reader *r, const char *what, const char **out)
{
	plist_t array, node;

	if (dict_need(r, "cmd_data", what) || dict_get_array(r, "cmd_data", &array))
		return r->e->code;
	node = plist_size(array) == 1 ? plist_first(array) : NULL;
	if (!plist_is_string(node))
		return err_set(r->e, -EINVAL, "key `cmd_data` must be an array of one string: %s", what);
	*out = plist_string(node);
	return 0;
}

static int decode_new_name(struct dict *d, const struct dict_reader *r)
{
	return decode_one(r, "the new name", &d->cmd.new_name);
}

static int decode_new_uuid(struct dict *d, const struct dict_reader *r)
{
	return decode_one(r, "the uuid", &d->cmd.new_uuid);
}

static int decode_geometry(struct dict *d, const struct dict_reader *r)
{
	struct dm_geometry *g = &d->cmd.geometry;
	uint64_t *const numbers[] = { &g->cylinders, &g->heads, &g->sectors, &g->start };
	plist_t array, at;
	size_t i;

	if (dict_need(r, "geometry", "cylinders, heads, sectors and start") || dict_get_array(r, "geometry", &array))
		return r->e->code;
	for (i = 0, at = plist_first(array); i < 4; i++, at = plist_next(at)) {
		if (plist_size(array) != 4 || plist_get_node_type(at) != PLIST_UINT || plist_minus(at))
			return err_set(r->e, -EINVAL, "key `geometry` must be an array of 4 integers: cylinders, "
				       "heads, sectors, start");
		*numbers[i] = plist_uint(at);
	}
	return 0;
}

static int decode_read_ahead(struct dict *d, const struct dict_reader *r)
{
	bool is = dict_has(r->dict, "read_ahead"), least = dict_has(r->dict, "least_read_ahead");
	struct dm_read_ahead *to = &d->cmd.read_ahead;

	if (is && least)
		return err_set(r->e, -EINVAL, "the keys `read_ahead` and `least_read_ahead` are mutually exclusive");
	to->how = is ? DM_AHEAD_IS : least ? DM_AHEAD_LEAST : DM_AHEAD_ALONE;
	return dict_get_u32(r, is ? "read_ahead" : "least_read_ahead", &to->sectors);
}

/* Several devices with a table each; NAME is the first of them. */
static int decode_tables(struct dict *d, const struct dict_reader *r)
{
	if (!dict_has(r->dict, "names"))
		return decode_table(d, r);
	return decode_cwd(r, &d->cmd) ? r->e->code : dict_several_tables(d, r);
}

/* Disks that lose their power, or have it back. */
static int decode_power(struct dict *d, const struct dict_reader *r)
{
	if (dict_get_string(r, "message", &d->cmd.message))
		return r->e->code;
	return dict_several(d, r);
}

static int decode_several(struct dict *d, const struct dict_reader *r)
{
	return dict_several(d, r);
}

static int decode_resume(struct dict *d, const struct dict_reader *r)
{
	int code = decode_read_ahead(d, r);

	return code ? code : dict_several(d, r);
}

static int decode_new_device(struct dict *d, const struct dict_reader *r)
{
	int code = decode_read_ahead(d, r);

	return code ? code : decode_perhaps_table(d, r);
}

static int decode_message(struct dict *d, const struct dict_reader *r)
{
	if (dict_need(r, "message", "the words for the target") || dict_get_string(r, "message", &d->cmd.message))
		return r->e->code;
	return dict_get_u64(r, "sector", &d->cmd.sector);
}

static int decode_program(struct dict *d, const struct dict_reader *r)
{
	if (dict_need(r, "program", "the path of a dmuse") || dict_get_string(r, "program", &d->cmd.message))
		return r->e->code;
	if (*d->cmd.message != '/')
		return err_set(r->e, -EINVAL, "program: '%.200s' is not an absolute path", d->cmd.message);
	return 0;
}

static int decode_event(struct dict *d, const struct dict_reader *r)
{
	if (dict_need(r, "event_nr", "the last known event number"))
		return r->e->code;
	return dict_get_u32(r, "event_nr", &d->cmd.event_nr);
}

static int decode_session(struct dict *d, const struct dict_reader *r)
{
	return dict_get_string(r, "mount_ns", &d->cmd.mount_ns);
}

static int decode_mount(struct dict *d, const struct dict_reader *r)
{
	struct dm_cmd *c = &d->cmd;

	if (dict_get_string(r, "directory", &c->directory) || dict_get_string(r, "mount_ns", &c->mount_ns))
		return r->e->code;
	if (c->directory && *c->directory != '/')
		return err_set(r->e, -EINVAL, "key `directory` is '%.200s'; it must be an absolute path", c->directory);
	return 0;
}

static int decode_umount(struct dict *d, const struct dict_reader *r)
{
	int code = decode_mount(d, r);

	return code ? code : dict_need(r, "directory", "the directory of the devices");
}

static int decode_disk(struct dict *d, const struct dict_reader *r)
{
	const char *file = NULL;

	if (decode_cwd(r, &d->cmd) || dict_need(r, "file", "what the disk presents") || dict_get_string(r, "file", &file))
		return r->e->code;
	d->cmd.text = (char *)file;
	return 0;
}

static int decode_nothing(struct dict *d, const struct dict_reader *r)
{
	(void)d;
	(void)r;
	return 0;
}

static const struct decode_verb {
	const char *name;
	enum dm_verb verb;
} decode_names[] = {
#define VERB(id, name, ...) { name, DM_DO_##id },
#define ALIAS(id, name) { name, DM_DO_##id },
#include "core/command/verbs.list"
};

static int (*const decode_brings[DM_VERBS])(struct dict *d, const struct dict_reader *r) = {
#define VERB(id, name, handler, needs, others, brings, tells) [DM_DO_##id] = decode_##brings,
#include "core/command/verbs.list"
};

#define DECODE_NAMES (sizeof(decode_names) / sizeof(*decode_names))

static int decode_unknown(const char *name, struct err *e)
{
	char known[512] = "";
	size_t i, n = 0;

	for (i = 0; i < DECODE_NAMES; i++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, " %s", decode_names[i].name);
	return err_set(e, -EINVAL, "unknown command '%.40s'; the commands are:%s", name, known);
}

static int decode_verb(const struct dict_reader *r, enum dm_verb *out)
{
	const char *name;
	size_t i;

	if (dict_need(r, "command", "the command") || dict_get_string(r, "command", &name))
		return r->e->code;
	for (i = 0; i < DECODE_NAMES; i++)
		if (!strcmp(decode_names[i].name, name)) {
			*out = decode_names[i].verb;
			return 0;
		}
	return decode_unknown(name, r->e);
}

/* The caller's name for this command, if he may have to ask twice. */
static int decode_id(const struct dict_reader *r, struct dm_cmd *c)
{
	if (dict_get_string(r, "id", &c->id))
		return r->e->code;
	if (c->id && !dm_id_is_valid(c->id))
		return err_set(r->e, -EINVAL, "id: '%.50s' is not an identity: 1 to %d letters, digits and '-'", c->id, DM_ID_MAX);
	return 0;
}

int dict_decode(struct dict *d, struct err *e)
{
	struct dict_reader r = { d->keys, "", e };
	uint32_t flags = 0;

	if (decode_version(&r))
		return e->code;
	d->met = true;
	if (decode_verb(&r, &d->cmd.verb))
		return e->code;
	if (decode_flags(&r, &d->cmd, &flags) || decode_mangle(&r, &d->cmd) || decode_device(&r, &d->cmd, flags) || decode_id(&r, &d->cmd) ||
	    dict_get_bool(&r, "text", &d->text) || dict_get_bool(&r, "details", &d->details))
		return e->code;
	return decode_brings[d->cmd.verb](d, &r);
}

int dict_parse(const char *bytes, size_t n, plist_t *keys, struct err *e)
{
	*keys = NULL;
	if (n > DICT_FRAME_MAX)
		return err_set(e, -EIO, "the message has %zu bytes: the limit is %u", n, DICT_FRAME_MAX);
	return plist_read(bytes, n, DICT_NODES_MAX, keys, e);
}

void dict_free(struct dict *d)
{
	plist_free(d->keys);
	plist_free(d->spare);
	arena_wipe(&d->arena);
	d->keys = d->spare = NULL;
}
