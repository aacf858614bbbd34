/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse rename, message, setgeometry: commands with words for one device. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/words.h"
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

/* Words are quoted so that each stays one: the daemon splits a message like a table line. */
static plist_t message_request(struct job *j, const char *name, uint64_t sector)
{
	plist_t request = request_new("message", name);
	struct text words = TEXT_INIT;
	int i;

	for (i = 1; i < j->argc; i++) {
		text_add(&words, i > 1 ? " " : "");
		text_add_word(&words, j->argv[i]);
	}
	key_set_u64(request, "sector", sector);
	key_take_text(request, "message", &words);
	return request;
}

static int message_print(struct job *j, plist_t reply)
{
	plist_t out;

	if (j->o.given[OPT_json]) {
		out = plist_new_dict();
		key_set_text(out, "answer", key_text(reply, "answer"));
		return job_print_json(j, out);
	}
	if (*key_text(reply, "answer"))
		printf("%s\n", key_text(reply, "answer"));
	return EXIT_OK;
}

int command_message(struct job *j)
{
	plist_t reply = NULL;
	uint64_t sector;
	char *name;
	int code = pick_device(j, 2, 64, &name);

	if (!code && words_sectors(j->argv[0], &sector))
		code = job_usage(j, "the sector '%s' is not a number of sectors", j->argv[0]);
	else if (!code)
		code = client_ask(j, name, message_request(j, name, sector), &reply);
	if (!code)
		code = message_print(j, reply);
	plist_free(reply);
	free(name);
	return code;
}

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
