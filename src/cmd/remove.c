/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse remove, remove_all. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"

/* --retry: as often as dmsetup does. */
#define REMOVE_TRIES 25
#define REMOVE_PAUSE_MS 200

static plist_t remove_request(struct job *j, const char *command, const char *name)
{
	plist_t request = request_new(command, name);

	if (j->o.given[OPT_force])
		key_set_bool(request, "force", true);
	if (j->o.given[OPT_deferred])
		key_add_flag(request, DICT_DEFERRED_REMOVE);
	return request;
}

static int remove_one(struct job *j, const char *name)
{
	const struct timespec pause = { .tv_nsec = REMOVE_PAUSE_MS * 1000000L };
	int tries = j->o.given[OPT_retry] ? REMOVE_TRIES : 1, r;
	struct err e = ERR_INIT;
	plist_t reply;

	for (;;) {
		r = client_try(j, name, remove_request(j, "remove", name), &reply, &e);
		if (!r)
			plist_free(reply);
		if (r != -EBUSY || !--tries)
			break;
		nanosleep(&pause, NULL);
	}
	return r ? job_failed(j, name, &e) : EXIT_OK;
}

/* As in dmsetup, the first device that cannot be removed ends the command, and those before it are gone. */
int command_remove(struct job *j)
{
	struct pick p;
	int code = pick_devices(j, PICK_NONE_IS_WRONG, &p);
	size_t i;

	for (i = 0; !code && i < p.n; i++)
		code = remove_one(j, p.names[i]);
	pick_free(&p);
	return code;
}

int command_remove_all(struct job *j)
{
	int code;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	code = client_ask(j, NULL, remove_request(j, "remove_all", NULL), NULL);
	if (!code)
		client_say_absent(j);
	return code;
}
