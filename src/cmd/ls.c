/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse ls: the devices' names, as dmsetup prints them; with --target only those with such a line. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/rows.h"
#include "cmd/say.h"
#include "cmd/show.h"
#include "cmd/style.h"
#include "cmd/tree.h"

/* Does the device have a line of this target type? A device that was removed meanwhile has none. */
static int ls_has_target(struct job *j, const char *name, const char *type, bool *has)
{
	struct err e = ERR_INIT;
	plist_t request = request_new("status", name), reply = NULL;
	int r;

	rows_ask(request);
	r = client_try(j, name, request, &reply, &e);
	*has = false;
	if (r)
		return client_no_device(r) ? EXIT_OK : job_failed(j, name, &e);
	for (struct row row = rows_of(reply); !*has && rows_next(&row);)
		*has = row_is(&row, type);
	plist_free(reply);
	return EXIT_OK;
}

static void ls_line(struct job *j, enum style style, plist_t row)
{
	uint64_t major = key_u64(row, "major"), minor = key_u64(row, "minor");
	const char *name = key_text(row, "name");

	if (style == STYLE_BLKDEVNAME)
		printf("%s\t(dm-%" PRIu64 ")\n", name, minor);
	else if (style == STYLE_DEVNAME)
		printf("%s\t(%s)\n", name, name);
	else if (j->o.given[OPT_target])
		printf("%s\t(%" PRIu64 ", %" PRIu64 ")\n", name, major, minor);	/* as dmsetup prints it */
	else
		printf("%s\t(%" PRIu64 ":%" PRIu64 ")\n", name, major, minor);
}

/* In the child of --exec: runs COMMAND's words plus the device, without a shell, as dmsetup does. */
static void ls_become(const char *command, plist_t row, const char *uri)
{
	char *words = say_need(strdup(command)), *at = words, *word, *path;
	char *argv[66];
	int n = 0;

	while (n < 64 && (word = strsep(&at, " \t")))
		if (*word)
			argv[n++] = word;
	if (asprintf(&path, "/dev/mapper/%s", key_kernel_name(row)) < 0 || !n)
		_exit(127);
	argv[n++] = path;
	argv[n] = NULL;
	setenv("DMUSE_NAME", key_text(row, "name"), 1);
	setenv("DMUSE_URI", uri, 1);
	execvp(argv[0], argv);
	say_error("ls: cannot run %s: %s", argv[0], strerror(errno));
	_exit(127);
}

static const char *ls_first_uri(plist_t reply)
{
	plist_t uris = reply ? key_array(reply, "uris") : NULL;

	return uris && plist_size(uris) ? plist_string(plist_array_get_item(uris, 0)) : "";
}

static int ls_exec(struct job *j, plist_t row)
{
	const char *name = key_text(row, "name");
	struct err e = ERR_INIT;
	plist_t reply = NULL;
	int status = 0;
	pid_t pid;

	if (client_try(j, name, request_new("export", name), &reply, &e))
		reply = NULL;	/* no front serves it, so the command gets no address */
	fflush(stdout);
	pid = fork();
	if (!pid)
		ls_become(j->o.value[OPT_exec], row, ls_first_uri(reply));
	plist_free(reply);
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		err_set(&e, -errno, "cannot run %s: %s", j->o.value[OPT_exec], strerror(errno));
		return job_failed(j, name, &e);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? EXIT_OK : EXIT_FAILED;
}

static int ls_row(struct job *j, enum style style, plist_t row, plist_t json)
{
	const char *name = key_text(row, "name");
	bool wanted = true;
	int code = EXIT_OK;

	if (j->o.given[OPT_target])
		code = ls_has_target(j, name, j->o.value[OPT_target], &wanted);
	if (code || !wanted)
		return code;
	if (j->o.given[OPT_exec])
		return ls_exec(j, row);
	if (j->o.given[OPT_json])
		plist_array_append_item(json, show_json(row));
	else
		ls_line(j, style, row);
	return EXIT_OK;
}

int command_ls(struct job *j)
{
	struct pick_rows all = { .n = 0 };
	enum style style = STYLE_DEVNO;
	plist_t json;
	int code;
	size_t i;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	if (j->o.given[OPT_tree] && !j->o.given[OPT_target] && !j->o.given[OPT_exec])
		return tree_print(j);
	code = style_of(j, &style);
	if (!code)
		code = pick_all(j, &all);
	if (code)
		return code;
	j->answered = j->o.given[OPT_exec];	/* stdout belongs to the command */
	json = plist_new_array();
	for (i = 0; !code && i < all.n; i++)
		code = ls_row(j, style, all.rows[i], json);
	if (!all.n)
		pick_say_none(j);
	if (!code && j->o.given[OPT_json] && !j->o.given[OPT_exec])
		code = job_print_json(j, plist_copy(json));
	plist_free(json);
	pick_rows_free(&all);
	return code;
}
