/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse check: what a table means, a sentence a line, or what is wrong with it. Nothing is changed anywhere. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/rows.h"
#include "cmd/source.h"

static int check_print(struct job *j, plist_t reply)
{
	plist_t out, lines = plist_new_array(), warnings = key_array(reply, "warnings");

	for (struct row r = rows_of(reply); rows_next(&r);)
		if (j->o.given[OPT_json])
			plist_array_append_item(lines, row_json(&r));
		else
			printf("%.*s\n", (int)(r.len - r.params), r.text + r.params);
	if (!j->o.given[OPT_json]) {
		plist_free(lines);
		return EXIT_OK;
	}
	out = plist_new_dict();
	plist_dict_set_item(out, "lines", lines);
	plist_dict_set_item(out, "warnings", warnings ? plist_copy(warnings) : plist_new_array());
	return client_print_json(out);
}

/* With --json the refusal is an answer too. */
static int check_refused(struct job *j, const struct err *e)
{
	plist_t out;

	if (j->o.given[OPT_json]) {
		out = plist_new_dict();
		key_set_text(out, "error", e->text);
		client_print_json(out);
	}
	return job_failed(j, NULL, e);
}

int command_check(struct job *j)
{
	plist_t request, reply = NULL;
	struct err e = ERR_INIT;
	char *text;
	int code;

	if (j->argc > 1)
		return job_usage(j, "'%s' is a word too many", j->argv[1]);
	text = source_text(j, j->argc ? j->argv[0] : NULL, &e);
	if (!text)
		return job_failed(j, NULL, &e);
	request = request_new("check", NULL);
	rows_ask(request);
	if (source_put(j, request, text, &e)) {
		plist_free(request);
		code = job_failed(j, NULL, &e);
	} else if (client_try(j, NULL, request, &reply, &e)) {
		code = check_refused(j, &e);
	} else {
		code = check_print(j, reply);
		plist_free(reply);
	}
	free(text);
	return code;
}
