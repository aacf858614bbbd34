/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields that `info -c` can show of a device. */
#ifndef CMD_FIELDS_H
#define CMD_FIELDS_H

#include "base/text.h"
#include "cmd/graph.h"

struct field {
	const char *name, *heading;
	int width;		/* at least */
	bool number;
	bool graph;		/* needs the graph of devices */
	void (*add)(struct text *out, plist_t row, const struct graph *g);
	const char *about;
};

extern const struct field fields[];	/* ends with a row without name */

#endif
