/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's state as dmsetup prints it, and as JSON. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/job.h"
#include "proto/plist.h"

/* ROW is a reply about a device, or a dict of `names`. */
void show_info(plist_t row);
plist_t show_json(plist_t row);

/*
 * Asks for a change of device NAME (or to be told of one); REQUEST is freed. Then, with --json, prints its state as JSON,
 * with -v as text, else nothing. EXIT_OK, or EXIT_FAILED after saying why.
 */
int show_change(struct job *j, const char *name, plist_t request);
/*
 * Around several of these, so that their JSON is one list. CODE is what came of them, and comes back; if one failed, the failure has the
 * list of those before it.
 */
void show_list(struct job *j);
int show_list_end(struct job *j, int code);

#endif
