/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse rename: another name for a device, or its UUID. */
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/show.h"

int command_rename(struct job *j)
{
	plist_t request, words;
	char *name;
	int code = pick_device(j, 1, 1, &name);

	if (!code) {
		request = request_new(j->o.given[OPT_setuuid] ? "set_uuid" : "rename", name);
		words = plist_new_array();
		plist_array_append_item(words, plist_new_string(j->argv[0]));
		plist_dict_set_item(request, "cmd_data", words);
		code = show_change(j, name, request);
	}
	free(name);
	return code;
}
