/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse export: the addresses by which programs reach a device; only the first, unless --all is given. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"

static int export_print(struct job *j, plist_t reply)
{
	plist_t uris = key_array(reply, "uris");

	if (j->o.given[OPT_json])
		return job_print_json(j, uris ? plist_copy(uris) : plist_new_array());
	for (struct key_walk w = key_walk(uris); key_walk_next(&w);) {
		printf("%s\n", plist_string(w.item));
		if (!j->o.given[OPT_all])
			break;
	}
	return EXIT_OK;
}

int command_export(struct job *j)
{
	plist_t reply = NULL;
	char *name;
	int code = pick_device(j, 0, 0, &name);

	if (!code)
		code = client_ask(j, name, request_new("export", name), &reply);
	if (!code)
		code = export_print(j, reply);
	plist_free(reply);
	free(name);
	return code;
}
