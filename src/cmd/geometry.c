/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse setgeometry: the cylinders, heads and sectors that a device shows. */
#include <stdlib.h>

#include "base/words.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/show.h"

static int geometry_read(struct job *j, plist_t geometry)
{
	static const char *const what[] = { "number of cylinders", "number of heads", "number of sectors", "start" };
	uint64_t v;
	int i;

	for (i = 0; i < 4; i++) {
		if (words_u64(j->argv[i], &v))
			return job_usage(j, "the %s '%s' is not a number", what[i], j->argv[i]);
		plist_array_append_item(geometry, plist_new_uint(v));
	}
	return EXIT_OK;
}

/* dmsetup prints nothing here, not even with -v. */
int command_setgeometry(struct job *j)
{
	plist_t request, geometry = plist_new_array();
	char *name;
	int code = pick_device(j, 4, 4, &name);

	if (!code)
		code = geometry_read(j, geometry);
	if (code) {
		plist_free(geometry);
	} else {
		request = request_new("setgeometry", name);
		plist_dict_set_item(request, "geometry", geometry);
		code = j->o.given[OPT_json] ? show_change(j, name, request) : client_ask(j, name, request, NULL);
	}
	free(name);
	return code;
}
