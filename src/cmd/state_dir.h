/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of --state, in which the daemon keeps the state of its devices. */
#ifndef CMD_STATE_DIR_H
#define CMD_STATE_DIR_H

#include <stdbool.h>

#include "base/err.h"

#define STATE_FILE "state"

/*
 * The path of the state's file in DIRECTORY, which is made (for its owner only) if it is missing; freed by the caller.
 * NULL and a sentence if others could have put a state there.
 */
char *state_dir_file(const char *directory, struct err *e);

/*
 * Has a daemon that did not end in order left devices in the state beside its control socket? The next one has them. No:
 * also if it cannot be read, which the next daemon will complain of.
 */
bool state_is_left(const char *control);

#endif
