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

/*
 * Prepares what the options ask for; USUAL are the default fields. Returns an exit_code; columns_close() is needed in
 * any case.
 */
int columns_open(struct job *j, const char *usual, struct columns *c);
/* Keeps only the rows (dicts of devices) that are selected. */
int columns_select(struct job *j, struct columns *c, struct pick_rows *rows);
int columns_print(struct job *j, struct columns *c, const struct pick_rows *rows);
void columns_close(struct columns *c);

/* All of the above. */
int columns_report(struct job *j, struct pick_rows *rows, const char *usual);

#endif
