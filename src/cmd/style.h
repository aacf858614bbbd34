/* SPDX-License-Identifier: BSD-2-Clause */
/* How `ls -o` and `deps -o` print a device: by its number, its kernel name (dm-1) or its mapped name. */
#ifndef CMD_STYLE_H
#define CMD_STYLE_H

#include "cmd/job.h"

enum style { STYLE_DEVNO, STYLE_BLKDEVNAME, STYLE_DEVNAME };

/* The value of -o, STYLE_DEVNO without it: EXIT_OK, or wrong usage. */
int style_of(struct job *j, enum style *style);

#endif
