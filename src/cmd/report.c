/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns: see report.h. libdevmapper's report engine does the work; here the options are converted to its arguments,
 * and its messages to sentences.
 */
#include "cmd/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/keys.h"
#include "cmd/report_log.h"
#include "cmd/say.h"

static bool report_is_help(const struct job *j, enum option_id id)
{
	return j->o.given[id] && (!strcasecmp(j->o.value[id], "help") || !strcmp(j->o.value[id], "?"));
}

bool report_asks_help(const struct job *j)
{
	return report_is_help(j, OPT_options) || report_is_help(j, OPT_sort) || report_is_help(j, OPT_select);
}

static int report_help_json(struct job *j, const struct dm_report_field_type *f)
{
	plist_t list = plist_new_array(), one;

	for (; *f->id; f++) {
		one = plist_new_dict();
		key_set_text(one, "name", f->id);
		key_set_text(one, "about", f->desc);
		plist_array_append_item(list, one);
	}
	return job_print_json(j, list);
}

/* An unknown field name: suggests one that may have been meant. */
static int report_no_field(struct job *j, const struct report_kind *kind, const char *place, const char *name)
{
	struct suggest s = { .word = name };
	char meant[SUGGEST_TEXT];
	const struct dm_report_field_type *f;

	for (f = kind->fields; *f->id; f++)
		suggest_try(&s, f->id);
	return job_usage(j, "%sunknown field '%s'%s; `dmuse %s -o help` lists them", place, name, suggest_text(&s, meant), kind->how);
}

static int report_refused(struct job *j, const struct report_kind *kind)
{
	struct err e = ERR_INIT;
	const char *field;

	report_log_end(j->o.value[OPT_select], &e, &field);
	return field ? report_no_field(j, kind, e.text, field) : job_usage(j, "%s", e.text);
}

/* The fields: +FIELD adds to the default ones. */
static char *report_fields(const struct job *j, const struct report_kind *kind)
{
	const char *o = j->o.given[OPT_options] ? j->o.value[OPT_options] : "+";
	char *list;

	if (*o != '+')
		return say_need(strdup(o));
	if (asprintf(&list, "%s%s%s", kind->usual, o[1] ? "," : "", o + 1) < 0)
		list = NULL;
	return say_need(list);
}

static uint32_t report_flags(const struct job *j)
{
	const bool *given = j->o.given;
	uint32_t flags = DM_REPORT_OUTPUT_BUFFERED;

	if (!given[OPT_noheadings])
		flags |= DM_REPORT_OUTPUT_HEADINGS;
	if (!given[OPT_noheadings] && !given[OPT_nameprefixes] && !given[OPT_separator] && !given[OPT_rows])
		flags |= DM_REPORT_OUTPUT_ALIGNED;
	if (given[OPT_nameprefixes])
		flags |= DM_REPORT_OUTPUT_FIELD_NAME_PREFIX;
	if (given[OPT_unquoted])
		flags |= DM_REPORT_OUTPUT_FIELD_UNQUOTED;
	if (given[OPT_rows])
		flags |= DM_REPORT_OUTPUT_COLUMNS_AS_ROWS;
	return flags;
}

static const char *report_separator(const struct job *j)
{
	if (j->o.given[OPT_separator])
		return j->o.value[OPT_separator];
	return j->o.given[OPT_noheadings] ? ":" : " ";
}

int report_open(struct job *j, const struct report_kind *kind, struct report *r)
{
	const char *sort = j->o.given[OPT_sort] ? j->o.value[OPT_sort] : kind->sort;
	char *list;
	int code;

	*r = (struct report){ .groups = 0 };
	code = units_of(j, &r->units);
	if (code)
		return code;
	list = report_fields(j, kind);
	if (report_asks_help(j) && j->o.given[OPT_json]) {
		free(list);
		return report_help_json(j, kind->fields);
	}
	report_log_begin();
	r->engine = dm_report_init_with_selection(&r->groups, kind->groups, kind->fields, list, report_separator(j), report_flags(j),
						  sort, j->o.value[OPT_select], NULL, &r->units);
	free(list);
	if (!r->engine)
		return report_refused(j, kind);
	report_log_print();
	dm_report_set_output_field_name_prefix(r->engine, "dm_");
	return EXIT_OK;
}

bool report_selects(struct report *r, void *object)
{
	int selected = 0;

	/* This fails only for lack of memory, which must not be mistaken for "no". */
	say_need(dm_report_object_is_selected(r->engine, object, 0, &selected) ? r : NULL);
	return selected;
}

int report_print(struct job *j, struct report *r)
{
	struct err e = ERR_INIT;

	if (dm_report_output(r->engine) && !report_log_complained())
		return EXIT_OK;
	err_set(&e, -ENOMEM, "no memory for the report");
	return job_failed(j, NULL, &e);
}

void report_close(struct report *r)
{
	if (r->engine)
		dm_report_free(r->engine);
	r->engine = NULL;
}
