/* SPDX-License-Identifier: BSD-2-Clause */
/* Table lines of a reply. They are requested as one string, because there may be a million, and parsed one at a time. */
#ifndef CMD_ROWS_H
#define CMD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include "proto/plist.h"

struct row {
	const char *text;	/* the whole line: START LENGTH TYPE[ PARAMS]; not NUL-terminated */
	size_t len;
	size_t type, type_len;	/* where TYPE is */
	size_t params;		/* where PARAMS are; len if there are none */
	unsigned long long number;	/* from 1 */
	const char *next;
};

/* Requests lines in that form. */
void rows_ask(plist_t request);

/* for (struct row r = rows_of(reply); rows_next(&r);) ... */
struct row rows_of(plist_t reply);
bool rows_next(struct row *r);

bool row_is(const struct row *r, const char *type);
/* A dict of start, length, type and params. */
plist_t row_json(const struct row *r);

#endif
