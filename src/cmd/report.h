/* SPDX-License-Identifier: BSD-2-Clause */
/* info -c: the devices' state in columns, with dmsetup's fields and headings. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/pick.h"

/*
 * Prints the ROWS (dicts of devices) as --options, --sort, --noheadings, --nameprefixes and --separator say. USUAL: the fields
 * if none are chosen.
 */
int report_print(struct job *j, const struct pick_rows *rows, const char *usual);

#define REPORT_INFO "name,major,minor,attr,open,segments,events,uuid"

/* Lists the fields. */
int report_help(struct job *j);

#endif
