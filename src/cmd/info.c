/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse info: the state of devices, as paragraphs, columns or JSON. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/again.h"
#include "cmd/client.h"
#include "cmd/columns.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/progress.h"
#include "cmd/say.h"
#include "cmd/show.h"

static bool info_columns(const struct job *j)
{
	return j->o.given[OPT_columns] || j->o.given[OPT_columns_too];
}

/* The state of each picked device, in their order; the rows belong to rows->reply. */
static int info_rows(struct job *j, const struct pick *p, struct pick_rows *rows)
{
	struct err e = ERR_INIT;
	plist_t request, reply;
	size_t i;
	int r;

	rows->reply = say_need(plist_new_array());
	rows->rows = say_need(calloc(p->n + 1, sizeof(*rows->rows)));
	for (i = 0; i < p->n; i++) {
		request = request_new("info", p->names[i]);
		if (j->o.given[OPT_inactive])
			key_add_flag(request, DICT_QUERY_INACTIVE);
		r = client_try(j, p->names[i], request, &reply, &e);
		if (client_no_device(r) && p->all)
			continue;
		if (r)
			return job_failed(j, p->names[i], &e);
		plist_array_append_item(rows->reply, reply);
		rows->rows[rows->n++] = reply;
	}
	return EXIT_OK;
}

static void info_say_progress(const struct progress *p, void *arg)
{
	struct text line = TEXT_INIT;
	unsigned *said = arg;

	++*said;
	progress_text(p, &line);
	printf("%c%s:%*s%s\n", toupper((unsigned char)*p->type), p->type + 1, strlen(p->type) < 18 ? (int)(18 - strlen(p->type)) : 1, "", say_text(&line));
	text_free(&line);
}

static void info_say_time(plist_t row, const char *what, const char *key)
{
	time_t when = (time_t)key_u64(row, key);
	char text[64];
	struct tm tm;

	if (when && localtime_r(&when, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		printf("%-18s %s\n", what, text);
}

/* Of a device that was named: its lines that fill up or work by themselves, and since when. */
static void info_paragraph(struct job *j, plist_t row, bool named)
{
	unsigned said = 0;

	show_info(row);
	if (named && !j->o.given[OPT_inactive])
		progress_each(j, key_text(row, "name"), info_say_progress, &said);
	if (said) {
		info_say_time(row, "Active since:", "active_since");
		info_say_time(row, "Last event:", "last_event");
	}
	printf("\n");
}

static int info_print(struct job *j, struct columns *c, const struct pick_rows *rows, bool named)
{
	plist_t json;
	size_t i;

	if (!j->o.given[OPT_json] && info_columns(j))
		return columns_print(j, c, rows);
	json = say_need(plist_new_array());
	for (i = 0; i < rows->n; i++)
		if (j->o.given[OPT_json])
			plist_array_append_item(json, show_json(rows->rows[i]));
		else
			info_paragraph(j, rows->rows[i], named);
	if (j->o.given[OPT_json])
		return job_print_json(j, json);
	plist_free(json);
	return EXIT_OK;
}

static int info_report(struct job *j, struct columns *c, struct pick_rows *rows)
{
	struct pick p = { .n = 0 };
	int code = pick_devices(j, PICK_NONE_IS_ALL, &p);

	if (!code)
		code = info_rows(j, &p, rows);
	if (!code && !rows->n)
		pick_say_none(j);
	if (!code)
		code = columns_select(j, c, rows);
	if (!code)
		code = info_print(j, c, rows, !p.all);
	pick_free(&p);
	return code;
}

static int info_once(struct job *j)
{
	struct pick_rows rows = { .n = 0 };
	struct columns c;
	int code = columns_open(j, COLUMNS_INFO, &c);

	if (!code && !report_asks_help(j))
		code = info_report(j, &c, &rows);
	columns_close(&c);
	pick_rows_free(&rows);
	return code;
}

int command_info(struct job *j)
{
	if (j->o.given[OPT_options] && !info_columns(j))
		return job_usage(j, "-o selects columns: add -c");
	return again_run(j, info_once);
}
