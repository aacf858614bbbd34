/* SPDX-License-Identifier: BSD-2-Clause */
/* What libdevmapper says: its complaints become a sentence, its reports and its help go to stdout. */
#ifndef CMD_REPORT_LOG_H
#define CMD_REPORT_LOG_H

#include "base/err.h"

/* From here on what it would print is held back: it explains the fields to whoever names a wrong one, at length. */
void report_log_begin(void);
/* Prints that, and from here on at once. */
void report_log_print(void);
/*
 * One sentence of what was a complaint, with its place in SELECTION (NULL: none was given) if it is about that. If a field is not known,
 * *FIELD is its name, and the sentence has only the place; else it is NULL.
 */
void report_log_end(const char *selection, struct err *e, const char **field);

#endif
