/* SPDX-License-Identifier: BSD-2-Clause */
/* See setup.h. */
#include "cmd/setup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/source.h"

/* NAME of NAME=REST, freed by the caller, and REST; or NULL, and E says what is wrong. */
static char *setup_split(const struct option_said *said, const char **rest, struct err *e)
{
	const char *equals = strchr(said->value, '=');

	if (!equals || equals == said->value || !equals[1]) {
		err_set(e, -EINVAL, "--%s %s: %s is wanted", option_rows[said->id].name, said->value, option_rows[said->id].arg);
		return NULL;
	}
	*rest = equals + 1;
	return say_need(strndup(said->value, (size_t)(equals - said->value)));
}

/* The name may hide one of the machine's own disks. But writes to /dev/null must not go to a disk. */
static int setup_check_disk(const char *name, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "/dev/%s", name) >= (int)sizeof(path) || lstat(path, &st) || S_ISBLK(st.st_mode))
		return 0;
	return err_set(e, -EINVAL, "a disk cannot be named '%s': /dev/%s has another meaning", name, name);
}

static int setup_fill(struct job *j, plist_t request, bool disk, const char *rest, struct err *e)
{
	char *cwd;

	if (!disk)
		return source_put(j, request, rest, e);
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_set(e, -errno, "cannot get the working directory, which relative paths need: %s", strerror(errno));
	key_set_text(request, "file", rest);
	key_set_text(request, "cwd", cwd);
	free(cwd);
	return 0;
}

static int setup_one(struct job *j, const struct option_said *said)
{
	bool disk = said->id == OPT_disk;
	struct err e = ERR_INIT;
	plist_t request;
	const char *rest;
	char *name = setup_split(said, &rest, &e);
	int code;

	if (!name)
		return job_failed(j, NULL, &e);
	request = request_new(disk ? "disk" : "create", name);
	if ((disk && setup_check_disk(name, &e)) || setup_fill(j, request, disk, rest, &e)) {
		plist_free(request);
		code = job_failed(j, name, &e);
	} else {
		code = client_ask(j, name, request, NULL);
	}
	free(name);
	return code;
}

static void setup_undo(struct job *j, size_t n)
{
	struct err e = ERR_INIT;
	const char *rest;
	plist_t reply;
	char *name;

	while (n--) {
		if (j->o.said[n].id != OPT_disk || !(name = setup_split(&j->o.said[n], &rest, &e)))
			continue;
		if (client_try(j, name, request_new("undisk", name), &reply, &e) && j->o.given[OPT_verbose])
			say_note("%s: %s; it stays", name, e.text);
		plist_free(reply);
		free(name);
	}
}

int setup_begin(struct job *j)
{
	static const enum option_id order[] = { OPT_disk, OPT_create };
	size_t round, i;

	for (round = 0; round < 2; round++)
		for (i = 0; i < j->o.n_said; i++)
			if (j->o.said[i].id == order[round] && setup_one(j, &j->o.said[i])) {
				setup_undo(j, round ? j->o.n_said : i);
				return EXIT_FAILED;
			}
	return EXIT_OK;
}

void setup_end(struct job *j)
{
	setup_undo(j, j->o.n_said);
}
