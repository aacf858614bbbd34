/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices in columns: see columns.h. */
#include "cmd/columns.h"

#include <stdlib.h>

#include "cmd/fields.h"
#include "cmd/say.h"

int columns_open(struct job *j, const char *usual, struct columns *c)
{
	struct report_kind kind = { .groups = fields_groups, .fields = fields, .usual = usual, .sort = "", .how = "info -c" };

	*c = (struct columns){ .graph = { .n = 0 } };
	return report_open(j, &kind, &c->report);
}

int columns_select(struct job *j, struct columns *c, struct pick_rows *rows)
{
	int code = c->report.groups & FIELDS_GRAPH ? graph_load(j, &c->graph) : EXIT_OK;
	size_t i, n = 0;

	for (i = 0; !code && i < rows->n; i++) {
		struct fields_device d = { rows->rows[i], &c->graph };

		if (report_selects(&c->report, &d))
			rows->rows[n++] = rows->rows[i];
	}
	rows->n = n;
	return code;
}

int columns_print(struct job *j, struct columns *c, const struct pick_rows *rows)
{
	struct fields_device *d = say_need(calloc(rows->n + 1, sizeof(*d)));
	size_t i;
	int code;

	for (i = 0; i < rows->n; i++) {
		d[i] = (struct fields_device){ rows->rows[i], &c->graph };
		say_need(dm_report_object(c->report.engine, &d[i]) ? d : NULL);
	}
	code = rows->n ? report_print(j, &c->report) : EXIT_OK;
	free(d);
	return code;
}

void columns_close(struct columns *c)
{
	report_close(&c->report);
	graph_free(&c->graph);
}

int columns_report(struct job *j, struct pick_rows *rows, const char *usual)
{
	struct columns c;
	int code = columns_open(j, usual, &c);

	if (!code && !report_asks_help(j))
		code = columns_select(j, &c, rows);
	if (!code && !report_asks_help(j))
		code = columns_print(j, &c, rows);
	columns_close(&c);
	return code;
}
