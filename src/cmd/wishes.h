/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session is to have before its program runs: --disk NAME=FILE and --create NAME=TABLE. */
#ifndef CMD_WISHES_H
#define CMD_WISHES_H

#include "cmd/job.h"

/* In the order in which they were given, disks first. EXIT_OK, or EXIT_FAILED after saying why, and no disk is left. */
int wishes_grant(struct job *j);

/* Takes the disks away again; one that is in use stays (an active volume of LVM, say), which is no failure. */
void wishes_end(struct job *j);

#endif
