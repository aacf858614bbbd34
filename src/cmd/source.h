/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a table comes from (--table, a file, or stdin), and how it is put into a request. */
#ifndef CMD_SOURCE_H
#define CMD_SOURCE_H

#include "cmd/job.h"
#include "proto/plist.h"

/* The text of --table, else of FILE, else of stdin (FILE NULL or "-"), freed by the caller; NULL and a sentence. */
char *source_text(struct job *j, const char *file, struct err *e);

/*
 * Puts the table TEXT into REQUEST with what the daemon needs to interpret it as the caller would. 0, or -errno and a
 * sentence.
 */
int source_put(struct job *j, plist_t request, const char *text, struct err *e);

#endif
