/* SPDX-License-Identifier: BSD-2-Clause */
/* --interval and --count: repeats a command's output. */
#ifndef CMD_AGAIN_H
#define CMD_AGAIN_H

#include "cmd/job.h"

/* Runs ONCE as often as the options say, with a blank line between. The first failure ends it; returns an exit_code. */
int again_run(struct job *j, int (*once)(struct job *j));
/* The interval, for computing rates; 1 if none was given. */
double again_seconds(const struct job *j);

#endif
