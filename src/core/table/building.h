/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building the table that a command brings, in steps that never keep the control thread for long: its words are collected,
 * their stores opened on helper threads, a few at once, and then the table is made.
 */
#ifndef CORE_BUILDING_H
#define CORE_BUILDING_H

#include "core/command/do.h"

/* TABLE is the caller's; NULL: the failure is in C's reply. EXPLAIN: of a CHECK, else NULL; gone afterwards. */
typedef void dm_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain);

/*
 * The table that C brings, for C->device (which may be NULL): THEN comes once, inside or later. Other commands are carried
 * out meanwhile, so what was true of names and devices has to be looked at again. If the device is removed, or C
 * given up, THEN gets no table.
 */
void dm_do_build(struct dm_cmd *c, dm_built *then);

#endif
