/* SPDX-License-Identifier: BSD-2-Clause */
/* One device's state: see show.h. */
#include "cmd/show.h"

#include <inttypes.h>
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

static const char *show_tables(plist_t row)
{
	bool live = key_flag(row, DICT_ACTIVE_PRESENT), inactive = key_flag(row, DICT_INACTIVE_PRESENT);

	return live ? inactive ? "LIVE & INACTIVE" : "LIVE" : inactive ? "INACTIVE" : "None";
}

void show_info(plist_t row)
{
	printf("Name:              %s\n", key_text(row, "name"));
	printf("State:             %s%s%s\n", key_flag(row, DICT_SUSPEND) ? "SUSPENDED" : "ACTIVE",
	       key_flag(row, DICT_READONLY) ? " (READ-ONLY)" : "",
	       key_flag(row, DICT_DEFERRED_REMOVE) ? " (DEFERRED REMOVE)" : "");
	if (plist_dict_get_item(row, "read_ahead"))
		printf("Read Ahead:        %" PRIu64 "\n", key_u64(row, "read_ahead"));
	printf("Tables present:    %s\n", show_tables(row));
	printf("Open count:        %" PRIu64 "\n", key_u64(row, "open_count"));
	printf("Event number:      %" PRIu64 "\n", key_u64(row, "event_nr"));
	printf("Major, minor:      %" PRIu64 ", %" PRIu64 "\n", key_u64(row, "major"), key_u64(row, "minor"));
	printf("Number of targets: %" PRIu64 "\n", key_u64(row, "target_count"));
	if (*key_text(row, "uuid"))
		printf("UUID: %s\n", key_text(row, "uuid"));
}

plist_t show_json(plist_t row)
{
	plist_t out = plist_new_dict();

	key_copy(out, "name", row, "name");
	key_set_text(out, "uuid", key_text(row, "uuid"));
	key_copy(out, "major", row, "major");
	key_copy(out, "minor", row, "minor");
	key_set_text(out, "state", key_flag(row, DICT_SUSPEND) ? "suspended" : "active");
	key_set_bool(out, "readonly", key_flag(row, DICT_READONLY));
	key_set_bool(out, "live", key_flag(row, DICT_ACTIVE_PRESENT));
	key_set_bool(out, "inactive", key_flag(row, DICT_INACTIVE_PRESENT));
	key_set_bool(out, "deferred_remove", key_flag(row, DICT_DEFERRED_REMOVE));
	key_copy(out, "open_count", row, "open_count");
	key_copy(out, "event_nr", row, "event_nr");
	key_copy(out, "target_count", row, "target_count");
	key_copy(out, "sectors", row, "sectors");
	key_copy(out, "active_since", row, "active_since");
	key_copy(out, "last_event", row, "last_event");
	key_copy(out, "read_ahead", row, "read_ahead");
	return out;
}

/* With --json its state as JSON, with -v as text, else nothing. */
static int show_changed(struct job *j, plist_t reply)
{
	if (j->changed) {
		plist_array_append_item(j->changed, show_json(reply));
		return EXIT_OK;
	}
	if (j->o.given[OPT_json])
		return job_print_json(j, show_json(reply));
	if (j->o.given[OPT_verbose]) {
		show_info(reply);
		printf("\n");
	}
	return EXIT_OK;
}

int show_change(struct job *j, const char *name, plist_t request)
{
	plist_t reply = NULL;
	int code = client_ask(j, name, request, &reply);

	if (!code && !reply && (j->o.given[OPT_json] || j->o.given[OPT_verbose]))
		say_need(NULL);
	if (!code && reply)
		code = show_changed(j, reply);
	plist_free(reply);
	return code;
}

void show_list(struct job *j)
{
	j->changed = j->o.given[OPT_json] ? say_need(plist_new_array()) : NULL;
}

int show_list_end(struct job *j, int code)
{
	plist_t done = j->changed;

	j->changed = NULL;
	if (done && !code)
		job_print_json(j, done);
	else if (done && j->failure)
		plist_dict_set_item(j->failure, "done", done);
	else
		plist_free(done);
	return code;
}
