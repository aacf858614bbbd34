/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's state in dmsetup's format, and as JSON. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/job.h"
#include "proto/plist.h"

/* ROW is a reply about a device, or a dict of `names`. As text, an empty line has to follow. */
void show_info(plist_t row);
plist_t show_json(plist_t row);

/*
 * Sends REQUEST to change device NAME (or to wait for a change), and frees it. Then, with --json, prints the device's
 * state as JSON, with -v as text, else nothing. EXIT_OK, or EXIT_FAILED after saying why.
 */
int show_change(struct job *j, const char *name, plist_t request);
/*
 * Called around several of these, so that their JSON is one list. CODE is their result, which is returned; if one
 * failed, the failure has the list of those before it.
 */
void show_list(struct job *j);
int show_list_end(struct job *j, int code);

#endif
