/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse shutdown: returns when the daemon is gone. Without one all is as wished, so that is no failure. */
#include <errno.h>
#include <stddef.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

/* Whom it has cut off, which went to stderr as warnings, too. */
static int shutdown_json(struct job *j, plist_t reply)
{
	plist_t out = plist_new_dict();

	if (key_array(reply, "warnings"))
		key_copy(out, "cut_off", reply, "warnings");
	return job_print_json(j, out);
}

/* Whoever may not end the daemon need not wait for its end. A flush that failed is told, and the end comes all the same. */
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
