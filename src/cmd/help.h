/* SPDX-License-Identifier: BSD-2-Clause */
/* The help as JSON. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "cmd/job.h"

plist_t help_json_command(const struct command *c);
plist_t help_json_program(void);

#endif
