/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse help: written from commands.list and options.list, so that it cannot lag behind. */
#include <stdio.h>
#include <stdarg.h>
#include <string.h>

#include "cmd/job.h"
#include "cmd/say.h"

static void help_usage(FILE *to, const struct command *c)
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

static void help_option(const struct option_row *o)
{
	char left[64];

	if (!o->name)
		snprintf(left, sizeof(left), "-%c", o->letter);
	else
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ',' : ' ', o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	printf("  %-28s %s\n", left, o->about);
}

static void help_options(const uint8_t *list)
{
	for (; *list; list++)
		help_option(&option_rows[*list]);
}

void help_command(const struct command *c)
{
	help_usage(stdout, c);
	printf("\n%s: %s.\n", c->name, c->about);
	if (*c->options) {
		printf("\nOptions:\n");
		help_options(c->options);
	}
	printf("\nOptions of every sub-command:\n");
	help_options(options_common);
}

void help_program(void)
{
	const struct command *c;

	printf("Usage: dmuse COMMAND [WORD...] [OPTION...]\n\n"
	       "dmuse makes virtual disks from mapping tables, as dm(4) does, in an ordinary process.\n"
	       "The words are those of dmsetup(8). A table has lines of START LENGTH TARGET WORDS...\n"
	       "Numbers are sectors of 512 bytes; 64K, 10M, 2G are bytes.\n\nCommands:\n");
	for (c = commands; c->name; c++)
		printf("  %-11s %s\n", c->name, c->about);
	printf("\n`dmuse help COMMAND` tells more. NAME can also be -u UUID, or -j MAJOR -m MINOR.\n"
	       "create starts a daemon if none runs (--no-start forbids it); without a daemon every other\n"
	       "command answers as if there were no devices.\n"
	       "The control socket: --socket, else $DMUSE_SOCKET, else $XDG_RUNTIME_DIR/dmuse/control, else\n"
	       "/run/dmuse/control (root) or /run/user/UID/dmuse/control, else /tmp/dmuse-UID/control.\n"
	       "Exit status: 0 done, 1 failed (one sentence on stderr says why), 2 used wrongly.\n");
}

int command_help(struct job *j)
{
	const struct command *c;

	if (!j->argc) {
		help_program();
		return EXIT_OK;
	}
	c = command_find(j->argv[0]);
	if (!c)
		return job_usage(j, "'%s' is no sub-command; `dmuse help` lists them", j->argv[0]);
	help_command(c);
	return EXIT_OK;
}

int job_usage(struct job *j, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_error("%s: %s", j->command->name, text);
	help_usage(stderr, j->command);
	fprintf(stderr, "`dmuse help %s` tells more.\n", j->command->name);
	return EXIT_USAGE;
}

int job_failed(struct job *j, const char *what, const struct err *e)
{
	if (what && *what)
		say_error("%s %s: %s", j->command->name, what, e->text);
	else
		say_error("%s: %s", j->command->name, e->text);
	return EXIT_FAILED;
}
