/* SPDX-License-Identifier: BSD-2-Clause */
/* See help.h: the command line's lists, for programs. */
#include "cmd/help.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/keys.h"
#include "cmd/say.h"

static plist_t help_json_option(const struct option_row *o)
{
	char letter[2] = { (char)o->letter, '\0' };
	plist_t out = plist_new_dict();

	if (o->name)
		key_set_text(out, "name", o->name);
	if (o->letter)
		key_set_text(out, "letter", letter);
	if (o->arg)
		key_set_text(out, "argument", o->arg);
	key_set_text(out, "about", o->about);
	return out;
}

static plist_t help_json_options(const uint8_t *list)
{
	plist_t out = plist_new_array();

	for (; *list > OPTION_ACCEPTED; list++)
		plist_array_append_item(out, help_json_option(&option_rows[*list]));
	return out;
}

/* The words of each form of the command. */
static plist_t help_json_usage(const struct command *c)
{
	char *lines = say_need(strdup(c->usage)), *at = lines, *line;
	plist_t out = plist_new_array();

	while ((line = strsep(&at, "\n")))
		plist_array_append_item(out, plist_new_string(line));
	free(lines);
	return out;
}

plist_t help_json_command(const struct command *c)
{
	plist_t out = plist_new_dict();

	key_set_text(out, "name", c->name);
	key_set_text(out, "about", c->about);
	plist_dict_set_item(out, "usage", help_json_usage(c));
	plist_dict_set_item(out, "options", help_json_options(c->options));
	return out;
}

plist_t help_json_program(void)
{
	plist_t out = plist_new_dict(), list = plist_new_array();
	const struct command *c;

	for (c = commands; c->name; c++)
		plist_array_append_item(list, help_json_command(c));
	plist_dict_set_item(out, "commands", list);
	plist_dict_set_item(out, "options", help_json_options(options_common));
	return out;
}
