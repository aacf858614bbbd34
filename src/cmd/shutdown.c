/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse shutdown: returns when the daemon is gone. Without one all is as wished, so that is no failure. */
#include <errno.h>
#include <stddef.h>

#include "cmd/client.h"
#include "cmd/say.h"

/* Whoever may not end the daemon need not wait for its end. A flush that failed is told, and the end comes all the same. */
static int shutdown_daemon(struct job *j)
{
	struct err e = ERR_INIT;
	plist_t reply = NULL;
	int r = client_try(j, NULL, request_new("shutdown", NULL), &reply, &e);

	plist_free(reply);
	if (r != -EPERM && r != -EACCES)
		client_wait_gone(j);
	return r ? job_failed(j, NULL, &e) : EXIT_OK;
}

int command_shutdown(struct job *j)
{
	int code;

	if (j->argc)
		return job_usage(j, "'%s': it takes no words", j->argv[0]);
	code = client_open(j, false);
	if (code)
		return code;
	if (client_is_daemon(j))
		return shutdown_daemon(j);
	client_say_absent(j);
	return EXIT_OK;
}
