/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a command's table in steps that never occupy the control thread for long: its words are collected, their
 * stores are opened on helper threads, some of them concurrently, and then the table is created.
 */
#ifndef CORE_BUILDING_H
#define CORE_BUILDING_H

#include "core/command/do.h"

/* TABLE becomes the caller's; NULL: the error is in C's reply. EXPLAIN: of a CHECK, else NULL; freed afterwards. */
typedef void dm_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain);

/*
 * Builds C's table for C->device (which may be NULL): THEN is called once, perhaps before this returns. Other commands
 * are carried out meanwhile, so names and devices have to be checked again. If the device is removed, or C is given up,
 * THEN gets no table.
 */
void dm_do_build(struct dm_cmd *c, dm_built *then);

#endif
