/* SPDX-License-Identifier: BSD-2-Clause */
/* --readahead of create and resume, as in dmsetup: SECTORS, +SECTORS, none or auto. */
#ifndef CMD_READ_AHEAD_H
#define CMD_READ_AHEAD_H

#include "cmd/job.h"
#include "proto/plist.h"

/* Puts the option's value into REQUEST. 0, or -EINVAL and a sentence. */
int read_ahead_put(const struct job *j, plist_t request, struct err *e);

#endif
