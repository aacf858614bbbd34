/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse load, reload, clear, wipe_table: what is in a device's table slots. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/client.h"
#include "cmd/concise.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/say.h"
#include "cmd/show.h"
#include "cmd/slurp.h"
#include "cmd/source.h"

static int load_add(plist_t names, plist_t tables, const struct concise *d, bool readonly, struct err *e)
{
	if (*d->uuid || d->has_minor)
		return err_set(e, -EINVAL, "%s: a uuid or minor is not loaded: NAME,,,rw,LINE[,LINE]...", d->name);
	if (d->readonly != readonly)
		return err_set(e, -EINVAL, "%s: devices that are loaded together are all ro, or all rw", d->name);
	plist_array_append_item(names, say_need(plist_new_string(d->name)));
	plist_array_append_item(tables, say_need(plist_new_string(d->table)));
	return 0;
}

/* The devices of a list in the concise format. */
static int load_add_all(struct job *j, plist_t request, char *text, struct err *e)
{
	plist_t names = say_need(plist_new_array()), tables = say_need(plist_new_array());
	bool readonly = false;
	struct concise d;
	int r = source_put(j, request, "", e);	/* for what it says besides */

	plist_dict_remove_item(request, "table");
	plist_dict_set_item(request, "names", names);
	plist_dict_set_item(request, "tables", tables);
	while (!r && (r = concise_next(&text, &d, e)) > 0) {
		if (!plist_size(names))
			readonly = d.readonly;
		r = load_add(names, tables, &d, readonly, e);
	}
	if (!r && !plist_size(names))
		r = err_set(e, -EINVAL, "there is no device in the list: NAME,,,rw,LINE[,LINE]...[;...]");
	if (readonly)
		key_add_flag(request, DICT_READONLY);
	return r;
}

static int load_concise(struct job *j)
{
	struct err e = ERR_INIT;
	char *text = j->argc ? say_need(strdup(j->argv[0])) : slurp("-", &e);
	plist_t request = request_new("reload", NULL);
	int code;

	if (!text || load_add_all(j, request, text, &e)) {
		plist_free(request);
		code = job_failed(j, NULL, &e);
	} else {
		code = show_change(j, NULL, request);
	}
	free(text);
	return code;
}

int command_load(struct job *j)
{
	struct err e = ERR_INIT;
	plist_t request;
	char *name, *text;
	int code;

	if (j->o.given[OPT_concise])
		return j->argc > 1 ? job_usage(j, "unexpected word '%s'", j->argv[1]) : load_concise(j);
	code = pick_device(j, 0, 1, &name);
	if (code)
		return code;
	request = request_new("reload", name);
	text = source_text(j, j->argc ? j->argv[0] : NULL, &e);
	if (!text || source_put(j, request, text, &e)) {
		plist_free(request);
		code = job_failed(j, name, &e);
	} else {
		code = show_change(j, name, request);
	}
	free(text);
	free(name);
	return code;
}

int command_reload(struct job *j)
{
	return command_load(j);
}

int command_clear(struct job *j)
{
	char *name;
	int code = pick_device(j, 0, 0, &name);

	if (!code)
		code = show_change(j, name, request_new("clear", name));
	free(name);
	return code;
}

/* The same size, but every request fails. */
static plist_t wipe_request(plist_t info, const char *name)
{
	plist_t request = request_new("reload", name);
	struct text line = TEXT_INIT;

	text_printf(&line, "0 %" PRIu64 " error", key_u64(info, "sectors"));
	key_take_text(request, "table", &line);
	if (key_flag(info, DICT_READONLY))
		key_add_flag(request, DICT_READONLY);
	return request;
}

static int wipe_one(struct job *j, const char *name)
{
	struct err e = ERR_INIT;
	plist_t info = NULL, request;
	int code = client_ask(j, name, request_new("info", name), &info);

	if (!code && !key_flag(info, DICT_ACTIVE_PRESENT)) {
		err_set(&e, -ENXIO, "it has no active table");
		code = job_failed(j, name, &e);
	}
	if (!code)
		code = client_ask(j, name, wipe_request(info, name), NULL);
	if (!code) {
		request = request_new("resume", name);
		if (j->o.given[OPT_noflush])
			key_add_flag(request, DICT_NOFLUSH);
		code = show_change(j, name, request);
	}
	plist_free(info);
	return code;
}

int command_wipe_table(struct job *j)
{
	struct pick p;
	int code = pick_devices(j, PICK_NONE_IS_WRONG, &p);
	size_t i;

	if (!code) {
		show_list(j);
		for (i = 0; !code && i < p.n; i++)
			code = wipe_one(j, p.names[i]);
		code = show_list_end(j, code);
	}
	pick_free(&p);
	return code;
}
