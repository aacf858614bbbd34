/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse shutdown: returns when the daemon is gone. Without one all is as wished, so that is no failure. */
#include <stddef.h>

#include "cmd/client.h"
#include "cmd/say.h"

int command_shutdown(struct job *j)
{
	int code;

	if (j->argc)
		return job_usage(j, "'%s': it takes no words", j->argv[0]);
	code = client_open(j, false);
	if (code)
		return code;
	if (!client_is_daemon(j)) {
		say_note("shutdown: no daemon runs");
		return EXIT_OK;
	}
	code = client_ask(j, NULL, request_new("shutdown", NULL), NULL);
	client_wait_gone(j);
	return code;
}
