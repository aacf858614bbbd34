/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse shutdown: returns when the daemon has ended. If there is none, that is not an error. */
#include <errno.h>
#include <stddef.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

/* The clients that were cut off, which were also printed as warnings. */
static int shutdown_json(struct job *j, plist_t reply)
{
	plist_t out = plist_new_dict();

	if (key_array(reply, "warnings"))
		key_copy(out, "cut_off", reply, "warnings");
	return job_print_json(j, out);
}

/*
 * A caller who may not end the daemon does not wait for its end. If a flush fails, that is reported, and the daemon
 * ends all the same.
 */
static int shutdown_daemon(struct job *j)
{
	struct err e = ERR_INIT;
	plist_t reply = NULL;
	int r = client_try(j, "cut off", request_new("shutdown", NULL), &reply, &e);

	if (r != -EPERM && r != -EACCES)
		client_wait_gone(j);
	if (!r && j->o.given[OPT_json])
		shutdown_json(j, reply);
	plist_free(reply);
	return r ? job_failed(j, NULL, &e) : EXIT_OK;
}

int command_shutdown(struct job *j)
{
	int code;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	code = client_open(j, false);
	if (code)
		return code;
	if (client_is_daemon(j))
		return shutdown_daemon(j);
	client_say_absent(j);
	return EXIT_OK;
}
