/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse suspend, resume, mknodes. */
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/read_ahead.h"
#include "cmd/say.h"
#include "cmd/show.h"

/* The request with its options; NULL if these are wrong. */
static plist_t state_request(struct job *j, const char *command, const char *name)
{
	plist_t request = say_need(request_new(command, name));
	struct err e = ERR_INIT;

	if (read_ahead_put(j, request, &e)) {
		plist_free(request);
		job_failed(j, name, &e);
		return NULL;
	}
	if (j->o.given[OPT_noflush])
		key_add_flag(request, DICT_NOFLUSH);
	if (j->o.given[OPT_nolockfs])
		key_add_flag(request, DICT_SKIP_LOCKFS);
	return request;
}

static int state_one(struct job *j, const char *command, const char *name)
{
	plist_t request = state_request(j, command, name);

	return request ? show_change(j, name, request) : EXIT_FAILED;
}

/* All devices as one; their states are queried afterwards. */
static int state_together(struct job *j, const char *command, const struct pick *p)
{
	plist_t request = state_request(j, command, NULL), names = say_need(plist_new_array());
	int code;
	size_t i;

	if (!request) {
		plist_free(names);
		return EXIT_FAILED;
	}
	for (i = 0; i < p->n; i++)
		plist_array_append_item(names, say_need(plist_new_string(p->names[i])));
	plist_dict_set_item(request, "names", names);
	code = client_ask(j, NULL, request, NULL);
	for (i = 0; !code && (j->o.given[OPT_verbose] || j->o.given[OPT_json]) && i < p->n; i++)
		code = show_change(j, p->names[i], request_new("info", p->names[i]));
	return code;
}

static int state_of_each(struct job *j, const char *command, const struct pick *p)
{
	int code = EXIT_OK;
	size_t i;

	for (i = 0; !code && i < p->n; i++)
		code = state_one(j, command, p->names[i]);
	return code;
}

static int state_each(struct job *j, const char *command, enum pick_none none)
{
	bool together = none == PICK_NONE_IS_WRONG;	/* these commands change devices */
	struct pick p;
	int code = pick_devices(j, none, &p);

	if (!code) {
		show_list(j);
		code = together && p.n > 1 ? state_together(j, command, &p) : state_of_each(j, command, &p);
		code = show_list_end(j, code);
	}
	if (!code && !p.n)
		client_say_absent(j);
	pick_free(&p);
	return code;
}

int command_suspend(struct job *j)
{
	return state_each(j, "suspend", PICK_NONE_IS_WRONG);
}

int command_resume(struct job *j)
{
	return state_each(j, "resume", PICK_NONE_IS_WRONG);
}

int command_mknodes(struct job *j)
{
	return state_each(j, "mknodes", PICK_NONE_IS_ALL);
}
