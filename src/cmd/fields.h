/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields that `info -c` can show of a device, for libdevmapper's report engine. */
#ifndef CMD_FIELDS_H
#define CMD_FIELDS_H

#include "cmd/engine.h"
#include "cmd/graph.h"

/* Bits of the groups. FIELDS_GRAPH needs the graph of devices. `deps_all` is only part of them, as in dmsetup. */
enum fields_group {
	FIELDS_NAME = 1, FIELDS_STATE = 2, FIELDS_SIZE = 4, FIELDS_RELATIONS = 8, FIELDS_TREE = 16, FIELDS_PARTS = 32,
	FIELDS_GRAPH = FIELDS_RELATIONS | FIELDS_TREE,
};

/* What is reported: a device's dict, and the graph if a field needs it. */
struct fields_device {
	plist_t row;
	const struct graph *graph;
};

extern const struct dm_report_object_type fields_groups[];
extern const struct dm_report_field_type fields[];	/* ends with a row whose id is empty */

#endif
