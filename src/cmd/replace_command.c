/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse daemon --replace [PROGRAM]. The connection ends when the daemon becomes the other program; then the same command, with
 * the same identity, gets its answer from whichever of the two serves (client.h asks again).
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/paths.h"
#include "cmd/replace.h"

/* This one; also if its file was replaced meanwhile, then whatever has its name now. */
static char *program_this(struct err *e)
{
	static const char gone[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *end;

	if (n < 0) {
		err_set(e, -errno, "cannot tell where this program is: %s", strerror(errno));
		return NULL;
	}
	path[n] = '\0';
	end = path + n - strlen(gone);
	if (end > path && !strcmp(end, gone))
		*end = '\0';
	return strdup(path);
}

static int replace_ask(struct job *j, const char *program)
{
	plist_t request = request_new("replace", NULL);

	key_set_text(request, "program", program);
	return client_ask(j, NULL, request, NULL);
}

int replace_command(struct job *j)
{
	struct err e = ERR_INIT;
	char *program;
	int code;

	if (j->argc > 1)
		return job_usage(j, "unexpected word '%s'", j->argv[1]);
	code = client_open(j, false);
	if (code)
		return code;
	if (!client_is_daemon(j)) {
		client_say_absent(j);
		return EXIT_FAILED;
	}
	program = j->argc ? paths_absolute(j->argv[0], &e) : program_this(&e);
	if (!program)
		return job_failed(j, NULL, &e);
	code = replace_ask(j, program);
	free(program);
	return code;
}
