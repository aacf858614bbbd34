/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's state as dmsetup prints it, and as JSON. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include <plist/plist.h>

#include "cmd/job.h"

/* ROW is a reply about a device, or a dict of `names`. */
void show_info(plist_t row);
plist_t show_json(plist_t row);

/* After a command that changed a device: with --json its state as JSON, with -v as text, else nothing. */
int show_changed(struct job *j, plist_t reply);

#endif
