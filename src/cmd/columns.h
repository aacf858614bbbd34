/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices in columns: info -c, splitname. */
#ifndef CMD_COLUMNS_H
#define CMD_COLUMNS_H

#include "cmd/graph.h"
#include "cmd/report.h"

#define COLUMNS_INFO "name,major,minor,attr,open,segments,events,uuid"

struct columns {
	struct report report;
	struct graph graph;
};

/* Prepares what the options say; USUAL are the fields if they say none. An exit_code; columns_close() in any case. */
int columns_open(struct job *j, const char *usual, struct columns *c);
/* Leaves the rows (dicts of devices) that are selected. */
int columns_select(struct job *j, struct columns *c, struct pick_rows *rows);
int columns_print(struct job *j, struct columns *c, const struct pick_rows *rows);
void columns_close(struct columns *c);

/* All of that. */
int columns_report(struct job *j, struct pick_rows *rows, const char *usual);

#endif
