/* SPDX-License-Identifier: BSD-2-Clause */
/* libdevmapper's output: its errors become a sentence; its reports and help go to stdout. */
#ifndef CMD_REPORT_LOG_H
#define CMD_REPORT_LOG_H

#include <stdbool.h>

#include "base/err.h"

/* From now on output is held back: if a field is unknown, libdevmapper would explain all fields at length. */
void report_log_begin(void);
/* Prints what was held back, and from now on prints at once. */
void report_log_print(void);
/* Has libdevmapper said an error? Some of its functions succeed all the same, and leave something out. */
bool report_log_complained(void);
/*
 * One sentence for the errors, with the position in SELECTION (NULL: none was given) if it is about that. If a field is
 * unknown, *FIELD is its name, and the sentence is only the position; else it is NULL.
 */
void report_log_end(const char *selection, struct err *e, const char **field);

#endif
