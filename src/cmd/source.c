/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables from the caller: see source.h. Relative paths in a table start at the caller's directory, so that is sent
 * along.
 */
#include "cmd/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/slurp.h"

/* Has the table a crypt line with a key, which is the second word behind the type? */
static bool source_has_key(const char *table)
{
	static const char type[] = " crypt ";
	const char *at, *key;

	for (at = table; (at = strstr(at, type)); at += strlen(type)) {
		key = strchr(at + strlen(type), ' ');
		if (key && key[1] != '-' && key[1] != ':')
			return true;
	}
	return false;
}

char *source_text(struct job *j, const char *file, struct err *e)
{
	if (j->o.given[OPT_table] && file) {
		err_set(e, -EINVAL, "the table is given with --table: unexpected word '%s'", file);
		return NULL;
	}
	if (j->o.given[OPT_table] && source_has_key(j->o.value[OPT_table]))
		say_warning("everybody who may list processes can see a key on a command line; give the table in a file or on stdin");
	if (j->o.given[OPT_table])
		return say_need(strdup(j->o.value[OPT_table]));
	if (!file && isatty(STDIN_FILENO))
		say_note("reading the table from the terminal; finish with ^D");
	return slurp(file ? file : "-", e);
}

int source_put(struct job *j, plist_t request, const char *text, struct err *e)
{
	char *cwd = getcwd(NULL, 0);

	if (!cwd)
		return err_set(e, -errno, "cannot get the working directory, which relative paths need: %s", strerror(errno));
	key_set_text(request, "table", text);
	key_set_text(request, "cwd", cwd);
	key_set_bool(request, "sizes", true);
	if (j->o.given[OPT_readonly])
		key_add_flag(request, DICT_READONLY);
	free(cwd);
	return 0;
}
