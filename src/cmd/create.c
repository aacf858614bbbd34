/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse create: one device with its table in one request, so that it is created completely or not at all; or a concise
 * list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/concise.h"
#include "cmd/keys.h"
#include "cmd/read_ahead.h"
#include "cmd/say.h"
#include "cmd/show.h"
#include "cmd/slurp.h"
#include "cmd/source.h"

static void create_pin(plist_t request, uint64_t minor)
{
	key_set_u64(request, "minor", minor);
	key_add_flag(request, DICT_PERSISTENT_DEV);
}

static bool create_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

static int create_table(struct job *j, plist_t request, struct err *e)
{
	char *text;
	int r = 0;

	if (j->o.given[OPT_notable])
		return j->o.given[OPT_table] || j->argc > 1 ? err_set(e, -EINVAL, "a table and --notable are mutually "
								      "exclusive") : 0;
	text = source_text(j, j->argc > 1 ? j->argv[1] : NULL, e);
	if (!text)
		return e->code;
	if (create_blank(text))
		r = err_set(e, -EINVAL, "the table is empty; --notable creates a device without a table");
	else
		r = source_put(j, request, text, e);
	free(text);
	return r;
}

static int create_request(struct job *j, plist_t request, struct err *e)
{
	uint64_t minor = 0, major = 0;
	int r = options_number(&j->o, OPT_minor, UINT32_MAX, &minor, e);

	if (!r)
		r = options_number(&j->o, OPT_major, UINT32_MAX, &major, e);
	if (!r)
		r = read_ahead_put(j, request, e);
	if (!r)
		r = create_table(j, request, e);
	if (r)
		return r;
	if (j->o.given[OPT_minor])
		create_pin(request, minor);
	if (j->o.given[OPT_uuid])
		key_set_text(request, "uuid", j->o.value[OPT_uuid]);
	if (j->o.given[OPT_readonly])
		key_add_flag(request, DICT_READONLY);
	return 0;
}

static int create_concise_one(struct job *j, const struct concise *d)
{
	plist_t request = request_new("create", d->name);
	struct err e = ERR_INIT;

	if (read_ahead_put(j, request, &e) || (*d->table && source_put(j, request, d->table, &e))) {
		plist_free(request);
		return job_failed(j, d->name, &e);
	}
	if (*d->uuid)
		key_set_text(request, "uuid", d->uuid);
	if (d->has_minor)
		create_pin(request, d->minor);
	if (d->readonly)
		key_add_flag(request, DICT_READONLY);
	return show_change(j, d->name, request);
}

/* The whole list is read before the first device is created, so that a typo leaves nothing half done. */
static int create_concise(struct job *j)
{
	struct err e = ERR_INIT;
	char *text = j->argc ? say_need(strdup(j->argv[0])) : slurp("-", &e);
	char *copy = text ? say_need(strdup(text)) : NULL, *at = copy;
	struct concise d;
	int r = text ? 1 : e.code, code = EXIT_OK;

	while (r > 0)
		r = concise_next(&at, &d, &e);
	if (r < 0)
		code = job_failed(j, NULL, &e);
	else
		code = client_open(j, true);
	if (!code) {
		show_list(j);
		for (at = text; !code && concise_next(&at, &d, &e) > 0;)
			code = create_concise_one(j, &d);
		code = show_list_end(j, code);
	}
	free(copy);
	free(text);
	return code;
}

int command_create(struct job *j)
{
	struct err e = ERR_INIT;
	plist_t request;
	int code;

	if (j->argc > (j->o.given[OPT_concise] ? 1 : 2))
		return job_usage(j, "unexpected word '%s'", j->argv[j->argc - 1]);
	if (j->o.given[OPT_concise])
		return create_concise(j);
	if (!j->argc)
		return job_usage(j, "the name of the new device is missing");
	request = request_new("create", j->argv[0]);
	if (create_request(j, request, &e)) {
		plist_free(request);
		return job_failed(j, j->argv[0], &e);
	}
	code = client_open(j, true);
	if (code)
		plist_free(request);
	else
		code = show_change(j, j->argv[0], request);
	return code;
}
