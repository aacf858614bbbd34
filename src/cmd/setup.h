/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session gets before its program runs: --disk NAME=FILE and --create NAME=TABLE. */
#ifndef CMD_SETUP_H
#define CMD_SETUP_H

#include "cmd/job.h"

/* Carries them out in the given order, disks first. EXIT_OK, or EXIT_FAILED after saying why and removing the disks. */
int setup_begin(struct job *j);

/* Removes the disks; one that is in use stays (for example by an active LVM volume), which is not an error. */
void setup_end(struct job *j);

#endif
