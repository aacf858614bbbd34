/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns: see report.h. Every cell is made as text first, then widths are
 * known, then it is sorted and printed. Numbers stand right, words left.
 */
#include "cmd/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/wrap.h"

#define REPORT_COLUMNS 64

struct report {
	const struct field *columns[REPORT_COLUMNS];
	int widths[REPORT_COLUMNS];
	size_t n;
	struct {
		const struct field *field;
		bool down;
	} sort[REPORT_COLUMNS];
	size_t n_sort;
	bool aligned, headings, prefixes;
	const char *separator;
	struct graph graph;
};

static int report_help_json(struct job *j)
{
	plist_t list = plist_new_array(), one;
	const struct field *f;

	for (f = fields; f->name; f++) {
		one = plist_new_dict();
		key_set_text(one, "name", f->name);
		key_set_text(one, "about", f->about);
		plist_array_append_item(list, one);
	}
	return job_print_json(j, list);
}

int report_help(struct job *j)
{
	unsigned width = wrap_width(stdout);
	const struct field *f;
	char left[32];

	if (j->o.given[OPT_json])
		return report_help_json(j);
	printf("Fields of info -c -o (+FIELD adds to the usual ones, all means every field):\n");
	for (f = fields; f->name; f++) {
		snprintf(left, sizeof(left), "  %s", f->name);
		wrap_print(stdout, width, 21, left, f->about);
	}
	return EXIT_OK;
}

static const struct field *report_field(struct job *j, const char *name, int *code)
{
	struct suggest s = { .word = name };
	char meant[SUGGEST_TEXT];
	const struct field *f;

	for (f = fields; f->name; f++) {
		if (!strcmp(f->name, name))
			return f;
		suggest_try(&s, f->name);
	}
	*code = job_usage(j, "there is no field '%s'%s; `dmuse info -c -o help` lists them", name, suggest_text(&s, meant));
	return NULL;
}

static void report_add(struct report *r, const struct field *f)
{
	if (r->n < REPORT_COLUMNS)
		r->columns[r->n++] = f;
}

static void report_add_all(struct report *r)
{
	const struct field *f;

	for (f = fields; f->name; f++)
		report_add(r, f);
}

/* One list of names, separated by commas. */
static int report_columns(struct job *j, struct report *r, const char *list)
{
	char *words = say_need(strdup(list)), *at = words, *word;
	int code = EXIT_OK;

	while (!code && (word = strsep(&at, ",")))
		if (!strcmp(word, "all"))
			report_add_all(r);
		else if (*word)
			report_add(r, report_field(j, word, &code));
	free(words);
	return code;
}

static int report_sort_keys(struct job *j, struct report *r, const char *list)
{
	char *words = say_need(strdup(list)), *at = words, *word;
	int code = EXIT_OK;

	while (!code && (word = strsep(&at, ",")) && r->n_sort < REPORT_COLUMNS) {
		bool down = *word == '-';

		r->sort[r->n_sort].down = down;
		r->sort[r->n_sort++].field = report_field(j, word + (down || *word == '+'), &code);
	}
	free(words);
	return code;
}

static int report_options(struct job *j, struct report *r, const char *usual)
{
	const char *o = j->o.given[OPT_options] ? j->o.value[OPT_options] : "+";
	int code = EXIT_OK;

	r->prefixes = j->o.given[OPT_nameprefixes];
	r->headings = !j->o.given[OPT_noheadings];
	r->aligned = r->headings && !r->prefixes && !j->o.given[OPT_separator];
	r->separator = j->o.given[OPT_separator] ? j->o.value[OPT_separator] : r->headings ? " " : ":";
	if (*o == '+')
		code = report_columns(j, r, usual);
	if (!code)
		code = report_columns(j, r, o + (*o == '+'));
	if (!code && j->o.given[OPT_sort])
		code = report_sort_keys(j, r, j->o.value[OPT_sort]);
	return code;
}

static bool report_needs_graph(const struct report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->columns[i]->graph)
			return true;
	for (i = 0; i < r->n_sort; i++)
		if (r->sort[i].field->graph)
			return true;
	return false;
}

static char *report_cell(const struct report *r, const struct field *f, plist_t row)
{
	struct text t = TEXT_INIT;

	f->add(&t, row, &r->graph);
	return say_need(text_take(&t));
}

static int report_compare_cells(const struct field *f, const char *a, const char *b)
{
	uint64_t x, y;

	if (!f->number)
		return strcmp(a, b);
	x = strtoull(a, NULL, 10);
	y = strtoull(b, NULL, 10);
	return x < y ? -1 : x > y;
}

static int report_compare(const void *a, const void *b, void *arg)
{
	const struct report *r = arg;
	int order = 0;
	size_t i;

	for (i = 0; !order && i < r->n_sort; i++) {
		char *x = report_cell(r, r->sort[i].field, *(const plist_t *)a);
		char *y = report_cell(r, r->sort[i].field, *(const plist_t *)b);

		order = report_compare_cells(r->sort[i].field, x, y);
		if (r->sort[i].down)
			order = -order;
		free(x);
		free(y);
	}
	return order;
}

static void report_widen(int *width, const char *s)
{
	int n = (int)strlen(s);

	if (n > *width)
		*width = n;
}

static void report_put(const struct report *r, size_t column, const char *s)
{
	const struct field *f = r->columns[column];

	if (column)
		printf("%s", r->separator);
	if (!r->aligned)
		printf("%s", s);
	else
		printf("%*s", f->number ? r->widths[column] : -r->widths[column], s);
}

static void report_prefixed(const struct report *r, size_t column, const char *s)
{
	const char *c;

	printf("%sDM_", column ? r->separator : "");
	for (c = r->columns[column]->name; *c; c++)
		putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	printf("='%s'", s);
}

static void report_headings(const struct report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		report_put(r, i, r->columns[i]->heading);
	printf("\n");
}

static void report_rows(struct report *r, const struct pick_rows *rows)
{
	char **cells = say_need(calloc(rows->n * r->n + 1, sizeof(*cells)));
	size_t i, c;

	for (c = 0; c < r->n; c++) {
		r->widths[c] = r->columns[c]->width;
		report_widen(&r->widths[c], r->columns[c]->heading);
	}
	for (i = 0; i < rows->n * r->n; i++) {
		cells[i] = report_cell(r, r->columns[i % r->n], rows->rows[i / r->n]);
		report_widen(&r->widths[i % r->n], cells[i]);
	}
	if (r->headings)
		report_headings(r);
	for (i = 0; i < rows->n * r->n; i++) {
		(r->prefixes ? report_prefixed : report_put)(r, i % r->n, cells[i]);
		if (i % r->n == r->n - 1)
			printf("\n");
		free(cells[i]);
	}
	free(cells);
}

int report_print(struct job *j, const struct pick_rows *rows, const char *usual)
{
	struct report r = { .n = 0 };
	int code = report_options(j, &r, usual);

	if (!code && report_needs_graph(&r))
		code = graph_load(j, &r.graph);
	if (!code && r.n_sort)
		qsort_r(rows->rows, rows->n, sizeof(*rows->rows), report_compare, &r);
	if (!code && r.n)
		report_rows(&r, rows);
	graph_free(&r.graph);
	return code;
}
