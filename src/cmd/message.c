/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse message: words for the target of a device's line. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"

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
