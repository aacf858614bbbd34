/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse help: generated from commands.list and options.list. */
#include <stdio.h>
#include <string.h>

#include "cmd/columns.h"
#include "cmd/help.h"
#include "cmd/job.h"
#include "cmd/wrap.h"

#define HELP_OPTION 31		/* the column at which an option's text starts */
#define HELP_PARAGRAPH 80	/* columns of text if the terminal's width is unknown */

void help_usage(FILE *to, const struct command *c)
{
	const char *line = c->usage, *end;

	do {
		end = strchrnul(line, '\n');
		fprintf(to, "%s dmuse %s%s%s%.*s%s\n", line == c->usage ? "Usage:" : "      ", c->name,
			c->program ? " [OPTION...]" : "", end == line ? "" : " ", (int)(end - line), line,
			c->program ? "" : " [OPTION...]");
		line = end + 1;
	} while (*end);
}

static void help_option(unsigned width, const struct option_row *o)
{
	char left[64];

	if (!o->name)
		snprintf(left, sizeof(left), "  -%c", o->letter);
	else
		snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ',' : ' ', o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	wrap_print(stdout, width, HELP_OPTION, left, o->about);
}

static void help_options(const char *title, const uint8_t *list)
{
	unsigned width = wrap_width(stdout);

	if (*list <= OPTION_ACCEPTED)
		return;
	printf("\n%s:\n", title);
	for (; *list > OPTION_ACCEPTED; list++)
		help_option(width, &option_rows[*list]);
}

static void help_paragraph(const char *text)
{
	unsigned width = wrap_width(stdout);

	wrap_print(stdout, width ? width : HELP_PARAGRAPH, 0, "", text);
}

int help_command(struct job *j, const struct command *c)
{
	char text[512];

	if (j->o.given[OPT_json])
		return job_print_json(j, help_json_command(c));
	help_usage(stdout, c);
	snprintf(text, sizeof(text), "%s: %s.", c->name, c->about);
	printf("\n");
	help_paragraph(text);
	help_options("Options", c->options);
	help_options("Common options", options_common);
	return EXIT_OK;
}

static void help_commands(void)
{
	unsigned width = wrap_width(stdout);
	const struct command *c;
	char left[32];

	printf("\nCommands:\n");
	for (c = commands; c->name; c++) {
		snprintf(left, sizeof(left), "  %s", c->name);
		wrap_print(stdout, width, 14, left, c->about);
	}
	printf("\n");
}

int help_program(struct job *j)
{
	if (j->o.given[OPT_json])
		return job_print_json(j, help_json_program());
	printf("Usage: dmuse COMMAND [WORD...] [OPTION...]\n\n");
	help_paragraph("dmuse makes virtual disks from mapping tables, as dm(4) does, in an ordinary process. Names are "
		       "those of dmsetup(8). A table has lines of START LENGTH TARGET WORDS... Numbers are sectors of 512 "
		       "bytes; 64K, 10M, 2G are bytes.");
	help_commands();
	help_paragraph("See `dmuse help COMMAND`. Instead of NAME you can use -u UUID, or -j MAJOR -m MINOR. create "
		       "starts a "
		       "daemon if none is running (--no-start forbids it); without a daemon other commands behave as if "
		       "there were no devices.");
	help_paragraph("The control socket: --socket, else $DMUSE_SOCKET, else $XDG_RUNTIME_DIR/dmuse/control, else "
		       "/run/dmuse/control (root) or /run/user/UID/dmuse/control, else /tmp/dmuse-UID/control.");
	help_paragraph("Options of dmsetup without meaning here are accepted. Exit status: 0 success, 1 failure (with a "
		       "message on stderr), 2 usage error.");
	return EXIT_OK;
}

const char *help_meant(const char *word, char buffer[SUGGEST_TEXT])
{
	struct suggest s = { .word = word };
	const struct command *c;

	for (c = commands; c->name; c++)
		suggest_try(&s, c->name);
	return suggest_text(&s, buffer);
}

/* As in dmsetup, at the very end: the output of `info -c -o help`; with --json only that. */
static int help_fields(struct job *j)
{
	struct columns c;
	int code;

	if (j->argc)
		return job_usage(j, "-c lists the fields of info; use `dmuse help %s` without it", j->argv[0]);
	if (!j->o.given[OPT_json]) {
		help_program(j);
		printf("\n");
	}
	j->o.given[OPT_options] = true;
	j->o.value[OPT_options] = "help";
	code = columns_open(j, COLUMNS_INFO, &c);
	columns_close(&c);
	return code;
}

int command_help(struct job *j)
{
	char meant[SUGGEST_TEXT];
	const struct command *c;

	if (j->o.given[OPT_columns] || j->o.given[OPT_columns_too])
		return help_fields(j);
	if (!j->argc)
		return help_program(j);
	c = command_find(j->argv[0]);
	if (!c)
		return job_usage(j, "'%s' is not a sub-command%s; `dmuse help` lists them", j->argv[0],
				 help_meant(j->argv[0], meant));
	return help_command(j, c);
}
