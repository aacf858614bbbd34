/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse status, table, measure: the lines of tables, as text, in the concise format, or as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/client.h"
#include "cmd/concise.h"
#include "cmd/graph.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/progress.h"
#include "cmd/rows.h"
#include "cmd/say.h"
#include "proto/json.h"

struct table {
	struct job *j;
	const char *command;	/* "status", "table" or "measure" */
	bool prefix;		/* print the name before each line */
	bool begun;		/* concise and JSON: something was printed already */
	struct text json;	/* printed when nothing can fail any more */
};

static bool table_wanted(const struct table *t, const struct row *row)
{
	return !t->j->o.given[OPT_target] || row_is(row, t->j->o.value[OPT_target]);
}

/*
 * Puts zeros in place of the key of a crypt line, as dmsetup does: the second word. The line's text is a copy then, to be freed;
 * else NULL.
 */
static char *table_hide_key(const struct table *t, struct row *row)
{
	char *line, *at;

	if (t->j->o.given[OPT_showkeys] || !row_is(row, "crypt"))
		return NULL;
	line = say_need(strndup(row->text, row->len));
	row->text = line;
	at = strchr(line + row->params, ' ');
	while (at && *++at && *at != ' ')
		*at = '0';
	return line;
}

/* With -v of status: what the line means, if that is more than a number. */
static void table_explain(const struct table *t, const struct row *row)
{
	struct text line = TEXT_INIT;
	struct progress p;

	if (!t->j->o.given[OPT_verbose] || !progress_of(row, &p))
		return;
	progress_text(&p, &line);
	printf("  %s\n", say_text(&line));
	text_free(&line);
}

static plist_t table_row_json(const struct table *t, const struct row *row)
{
	plist_t out = row_json(row);
	struct progress p;

	if (!strcmp(t->command, "status") && progress_of(row, &p))
		plist_dict_set_item(out, "progress", progress_json(&p));
	return out;
}

/* dmsetup prints a blank after a target without parameters. */
static const char *table_blank(const struct row *row)
{
	return row->params == row->len ? " " : "";
}

static void table_lines(const struct table *t, const char *name, plist_t reply)
{
	bool any = false;

	for (struct row r = rows_of(reply); rows_next(&r); any = true) {
		char *hidden = table_hide_key(t, &r);

		if (table_wanted(t, &r)) {
			printf("%s%s%.*s%s\n", t->prefix ? name : "", t->prefix ? ": " : "", (int)r.len, r.text, table_blank(&r));
			table_explain(t, &r);
		}
		free(hidden);
	}
	if (!any && !t->j->o.given[OPT_target])
		printf("%s%s\n", t->prefix ? name : "", t->prefix ? ": " : "");
}

static void table_concise(struct table *t, const char *name, plist_t reply)
{
	struct text out = TEXT_INIT;
	char *line;

	text_add(&out, t->begun ? ";" : "");
	t->begun = true;
	concise_add(&out, name);
	text_add(&out, ",");
	concise_add(&out, key_text(reply, "uuid"));
	text_printf(&out, ",%" PRIu64 ",%s", key_u64(reply, "minor"), key_flag(reply, DICT_READONLY) ? "ro" : "rw");
	for (struct row r = rows_of(reply); rows_next(&r);) {
		if (!table_wanted(t, &r))
			continue;
		line = table_hide_key(t, &r);
		if (!line)
			line = say_need(strndup(r.text, r.len));
		text_add(&out, ",");
		concise_add(&out, line);
		text_add(&out, table_blank(&r));
		free(line);
	}
	fputs(say_text(&out), stdout);
	text_free(&out);
}

static void table_json_part(struct table *t, plist_t node, unsigned depth, const char *before)
{
	text_add(&t->json, before);
	json_add_at(&t->json, node, depth);
	plist_free(node);
}

/* Generates text directly: the lines of a large table are never in memory as objects. */
static void table_json(struct table *t, const char *name, plist_t reply)
{
	bool any = false;
	char *hidden;

	text_add(&t->json, t->begun ? "," : "[");
	t->begun = true;
	table_json_part(t, plist_new_string(name), 2, "\n  {\n    \"name\": ");
	text_add(&t->json, ",\n    \"targets\": [");
	for (struct row r = rows_of(reply); rows_next(&r);) {
		if (!table_wanted(t, &r))
			continue;
		hidden = table_hide_key(t, &r);
		table_json_part(t, table_row_json(t, &r), 3, any ? ",\n      " : "\n      ");
		free(hidden);
		any = true;
	}
	text_add(&t->json, any ? "\n    ]\n  }" : "]\n  }");
}

static int table_one(struct table *t, const char *name, bool may_vanish)
{
	plist_t request = request_new(t->command, name), reply = NULL;
	struct err e = ERR_INIT;
	int r;

	rows_ask(request);
	if (t->j->o.given[OPT_inactive])
		key_add_flag(request, DICT_QUERY_INACTIVE);
	if (t->j->o.given[OPT_noflush])
		key_add_flag(request, DICT_NOFLUSH);
	r = client_try(t->j, name, request, &reply, &e);
	if (client_no_device(r) && may_vanish)
		return EXIT_OK;
	if (r)
		return job_failed(t->j, name, &e);
	if (t->j->o.given[OPT_json])
		table_json(t, name, reply);
	else if (t->j->o.given[OPT_concise])
		table_concise(t, name, reply);
	else
		table_lines(t, name, reply);
	plist_free(reply);
	return EXIT_OK;
}

static void table_json_end(struct table *t)
{
	text_add(&t->json, t->begun ? "\n]" : "[]");
	printf("%s\n", say_text(&t->json));
	t->j->answered = true;
}

static int table_each(struct job *j, const char *command)
{
	struct table t = { .j = j, .command = command, .json = TEXT_INIT };
	struct pick p;
	int code = pick_devices(j, PICK_NONE_IS_ALL, &p);
	size_t i;

	if (!code && p.all && j->o.given[OPT_concise])
		code = graph_sort(j, &p);
	t.prefix = p.all || p.n > 1;
	for (i = 0; !code && i < p.n; i++)
		code = table_one(&t, p.names[i], p.all);
	if (j->o.given[OPT_json] && !code)
		table_json_end(&t);
	else if (t.begun && !j->o.given[OPT_json])
		printf("\n");
	if (!code && p.all && !p.n && j->o.given[OPT_concise])
		client_say_absent(j);
	else if (!code && p.all && !p.n)
		pick_say_none(j);
	text_free(&t.json);
	pick_free(&p);
	return code;
}

int command_status(struct job *j)
{
	return table_each(j, "status");
}

int command_table(struct job *j)
{
	return table_each(j, "table");
}

int command_measure(struct job *j)
{
	return table_each(j, "measure");
}
