/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse check: prints what a table means, one sentence per line, or what is wrong with it. Nothing is changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/rows.h"
#include "cmd/say.h"
#include "cmd/source.h"

static int check_print(plist_t reply)
{
	for (struct row r = rows_of(reply); rows_next(&r);)
		printf("%.*s\n", (int)(r.len - r.params), r.text + r.params);
	return EXIT_OK;
}

/* The uses of line LINE of the table; *AT moves past them. */
static plist_t check_uses(char **at, unsigned long long line)
{
	plist_t out = plist_new_array(), use;
	unsigned long long of, start, length, sectors;
	char *words;
	int n;

	while (sscanf(*at, "%llu %llu %llu %llu %n", &of, &start, &length, &sectors, &n) == 4 && of == line) {
		words = *at + n;
		*at = words_line(words);
		if (**at)
			*(*at)++ = '\0';
		use = plist_new_dict();
		key_set_text(use, "name", words_next(&words, NULL));
		key_set_u64(use, "start", start);
		key_set_u64(use, "length", length);
		key_set_u64(use, "sectors", sectors);
		plist_array_append_item(out, use);
	}
	return out;
}

static int check_json(struct job *j, plist_t reply)
{
	plist_t out = plist_new_dict(), lines = plist_new_array(), line, warnings = key_array(reply, "warnings");
	char *uses = say_need(strdup(key_text(reply, "uses"))), *at = uses;

	for (struct row r = rows_of(reply); rows_next(&r);) {
		line = row_json(&r);
		key_copy(line, "means", line, "params");
		plist_dict_remove_item(line, "params");
		plist_dict_set_item(line, "uses", check_uses(&at, r.number));
		plist_array_append_item(lines, line);
	}
	free(uses);
	plist_dict_set_item(out, "lines", lines);
	plist_dict_set_item(out, "warnings", warnings ? plist_copy(warnings) : plist_new_array());
	return job_print_json(j, out);
}

int command_check(struct job *j)
{
	plist_t request, reply = NULL;
	struct err e = ERR_INIT;
	char *text;
	int code;

	if (j->argc > 1)
		return job_usage(j, "unexpected word '%s'", j->argv[1]);
	text = source_text(j, j->argc ? j->argv[0] : NULL, &e);
	if (!text)
		return job_failed(j, NULL, &e);
	request = request_new("check", NULL);
	rows_ask(request);
	key_set_bool(request, "details", j->o.given[OPT_json]);
	if (source_put(j, request, text, &e)) {
		plist_free(request);
		code = job_failed(j, NULL, &e);
	} else if (client_try(j, NULL, request, &reply, &e)) {
		code = job_failed(j, NULL, &e);
	} else {
		code = j->o.given[OPT_json] ? check_json(j, reply) : check_print(reply);
		plist_free(reply);
	}
	free(text);
	return code;
}
