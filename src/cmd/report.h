/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices in columns; selection, sorting and layout are done by libdevmapper's report engine, as in dmsetup. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/engine.h"
#include "cmd/pick.h"
#include "cmd/units.h"

/* What can be reported. */
struct report_kind {
	const struct dm_report_object_type *groups;
	const struct dm_report_field_type *fields;	/* ends with a row whose id is empty */
	const char *usual;	/* the fields without -o */
	const char *sort;	/* the sort keys without -O */
	const char *how;	/* the command that lists the fields, for messages */
};

struct report {
	struct dm_report *engine;
	uint32_t groups;	/* those whose fields are needed */
	struct units units;	/* the private argument of the field functions */
};

/*
 * Sets up the fields of KIND that the options name, the sort order and the selection; prints nothing yet except `-o
 * help`. EXIT_...
 */
int report_open(struct job *j, const struct report_kind *kind, struct report *r);
/* Prints the OBJECTS that were reported with dm_report_object(). */
int report_print(struct job *j, struct report *r);
bool report_selects(struct report *r, void *object);
void report_close(struct report *r);

/* Is one of `-o help`, `-O help`, `-S help` given? Then nothing else is to be done. */
bool report_asks_help(const struct job *j);

#endif
