/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that the daemon creates when it starts, from a file: one per line, in the concise format. */
#ifndef CMD_TABLES_H
#define CMD_TABLES_H

#include <stdbool.h>

#include "base/err.h"

struct dm_world;

struct tables_count {
	unsigned created, failed;
	unsigned kept;		/* their names were taken by devices of an earlier daemon's state */
};

/*
 * Creates the devices of the file PATH; relative paths in it start at the file's own directory. If a device fails, that
 * is logged with FILE:LINE and counted, and the next one is tried. One that takes its time turns the loop; if *ENOUGH is true
 * then, no other one is begun. -errno and a sentence only if PATH cannot be read.
 */
int tables_create(struct dm_world *w, const char *path, const bool *enough, struct tables_count *n, struct err *e);

#endif
