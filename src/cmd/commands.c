/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns commands.list into the table of sub-commands. */
#include <string.h>

#include "cmd/job.h"

#define SELECT OPT_uuid, OPT_major, OPT_minor
#define REPORT OPT_select, OPT_noheadings, OPT_nameprefixes, OPT_unquoted, OPT_separator, OPT_rows, OPT_units

#define COMMAND(name, usage, about, ...) int command_##name(struct job *j);
#define SPELLED(id, name, ...) COMMAND(id, __VA_ARGS__)
#define PROGRAM COMMAND
#include "cmd/commands.list"
#undef COMMAND
#undef SPELLED

#define COMMAND(name, usage, about, ...) static const uint8_t options_of_##name[] = { __VA_ARGS__, OPTION_END };
#define SPELLED(id, name, ...) COMMAND(id, __VA_ARGS__)
#include "cmd/commands.list"
#undef COMMAND
#undef SPELLED

const struct command commands[] = {
#define SPELLED(id, name, usage, about, ...) { name, usage, about, options_of_##id, command_##id, false },
#define COMMAND(name, usage, about, ...) SPELLED(name, #name, usage, about, )
#undef PROGRAM
#define PROGRAM(name, usage, about, ...) { #name, usage, about, options_of_##name, command_##name, true },
#include "cmd/commands.list"
#undef COMMAND
#undef SPELLED
	{ .name = NULL }
};

const struct command *command_find(const char *name)
{
	const struct command *c;

	for (c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}
