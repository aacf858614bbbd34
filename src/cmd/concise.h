/* SPDX-License-Identifier: BSD-2-Clause */
/* dmsetup's concise format: NAME,UUID,MINOR,ro|rw,LINE[,LINE]... with ';' between devices. */
#ifndef CMD_CONCISE_H
#define CMD_CONCISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct concise {
	char *name;
	char *uuid;	/* "" if none */
	bool has_minor;
	uint32_t minor;
	bool readonly;
	char *table;	/* lines separated by line breaks; "" if none */
};

/*
 * Takes the next device from *AT, in place: 1 and OUT (which points into the text), 0 at the end, -EINVAL and a
 * sentence.
 */
int concise_next(char **at, struct concise *out, struct err *e);

/* Appends S with commas, semicolons, line breaks and backslashes escaped. */
void concise_add(struct text *out, const char *s);

#endif
