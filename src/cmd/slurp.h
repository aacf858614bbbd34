/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a whole file, or all of stdin, as text. */
#ifndef CMD_SLURP_H
#define CMD_SLURP_H

#include "base/err.h"

/* The text of PATH ("-": stdin), freed by the caller; NULL and a sentence. */
char *slurp(const char *path, struct err *e);

#endif
