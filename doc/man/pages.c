/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes those parts of the manual that the program already knows, as mdoc: a page a target from its usage, its
 * sentence and the comment at the head of its file, the page of stores, and the sub-commands and options of dmuse(1).
 *
 *   pages target NAME SOURCE [MORE]   pages stores   pages command PAGE
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/job.h"
#include "stores/stores.h"
#include "targets/targets.h"

/* The lists of the command line, without the functions behind them. */
#define SELECT OPT_uuid, OPT_major, OPT_minor
#define REPORT OPT_select, OPT_noheadings, OPT_nameprefixes, OPT_unquoted, OPT_separator, OPT_rows, OPT_units
#define PROGRAM COMMAND
#define COMMAND(name, usage, about, ...) static const uint8_t options_##name[] = { __VA_ARGS__, OPTION_END };
#define SPELLED(id, name, ...) COMMAND(id, __VA_ARGS__)
#include "cmd/commands.list"
#undef COMMAND
#undef SPELLED

#define SPELLED(id, name, usage, about, ...) { name, usage, about, options_##id, NULL, false },
#define COMMAND(name, usage, about, ...) SPELLED(name, #name, usage, about, )
static const struct command list[] = {
#include "cmd/commands.list"
	{ .name = NULL }
};
#undef COMMAND

static const struct option_row rows[OPTIONS] = {
#define OPTION(id, letter, name, arg, about) [OPT_##id] = { letter, name, arg, about },
#include "cmd/options.list"
#undef OPTION
};

/* Text of N bytes as roff takes it: <word> in italics, and nothing that roff would read as its own. */
static void put(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i]; i++) {
		if (i == 0 && (s[i] == '.' || s[i] == '\''))
			printf("\\&");
		if (s[i] == '\\')
			printf("\\e");
		else if (s[i] == '-')
			printf("\\-");
		else if (s[i] == '<')
			printf("\\fI");
		else if (s[i] == '>')
			printf("\\fR");
		else
			putchar(s[i]);
	}
}

/* The same as sentences: each on a line of its own, with a capital and a full stop. */
static void put_sentences(const char *s)
{
	const char *end;
	size_t n;

	for (; *s; s = end + strspn(end, " ")) {
		for (end = s; *end && !(end > s && end[-1] == '.' && *end == ' '); end++)
			;
		n = (size_t)(end - s);
		if (s[0] != '<') {
			putchar(toupper((unsigned char)s[0]));
			put(s + 1, n - 1);
		} else {
			put(s, n);
		}
		printf("%s\n", strchr(".:?", s[n - 1]) ? "" : ".");
	}
}

static void put_head(const char *title, int section, const char *name)
{
	printf(".\\\" SPDX-License-Identifier: BSD-2-Clause\n.Dd November 23, 2026\n.Dt ");
	for (; *title; title++)
		putchar(toupper((unsigned char)*title));
	printf(" %d\n.Os dmuse\n.Sh NAME\n.Nm %s\n", section, name);
}

static FILE *pages_open(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void pages_copy(const char *path)
{
	FILE *f = pages_open(path);
	char line[1024];

	while (fgets(line, sizeof(line), f))
		if (!strstr(line, "SPDX-License"))
			fputs(line, stdout);
	fclose(f);
}

/* The comment at the head of a source file as one string; its blank lines become line breaks. */
static void pages_comment(const char *path, char *out, size_t room)
{
	FILE *f = pages_open(path);
	char line[512], *s;
	bool inside = false;
	size_t used = 0;

	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "SPDX"))
			continue;
		s = strstr(line, "/*");
		if (!inside && !s)
			break;
		inside = true;
		s = s ? s + 2 : line;
		s += strspn(s, " *\n\t");
		if (*s == '/')
			break;
		s[strcspn(s, "\n")] = 0;
		if (strstr(s, "*/"))
			*strstr(s, "*/") = 0;
		used += (size_t)snprintf(out + used, used < room ? room - used : 0, "%s%s", *s ? s : "\n", *s ? " " : "");
		if (strchr(line, '/') && strstr(line, "*/"))
			break;
	}
	fclose(f);
}

static void pages_paragraphs(char *text)
{
	char *part, *save = NULL;
	bool first = true;

	for (part = strtok_r(text, "\n", &save); part; part = strtok_r(NULL, "\n", &save)) {
		part += strspn(part, " ");
		while (*part && part[strlen(part) - 1] == ' ')
			part[strlen(part) - 1] = 0;
		if (!first)
			printf(".Pp\n");
		put_sentences(part);
		first = false;
	}
}

static int pages_target(const char *name, const char *source, const char *more)
{
	const struct dm_type *const *t;
	char text[4096] = "", title[64], *s = text;

	for (t = dm_types; *t && strcmp((*t)->name, name); t++)
		;
	if (!*t) {
		fprintf(stderr, "%s is not a target\n", name);
		return 1;
	}
	snprintf(title, sizeof(title), "dmuse-%s", name);
	put_head(title, 7, title);
	printf(".Nd ");
	put((*t)->about, strlen((*t)->about));
	printf("\n.Sh SYNOPSIS\n.D1 \\fIstart\\fR \\fIlength\\fR %s ", name);
	put((*t)->usage, strlen((*t)->usage));
	printf("\n.Sh DESCRIPTION\n");
	pages_comment(source, text, sizeof(text));
	s += strspn(s, " \n");
	if (!strncmp(s, name, strlen(name)) && s[strlen(name)] == ':')
		s += strlen(name) + 1 + strspn(s + strlen(name) + 1, " ");
	pages_paragraphs(s);
	printf(".Pp\nAll numbers are sectors of 512 bytes.\n");
	if (strstr((*t)->usage, "<device>"))
		printf("A\n.Ar device\nis a path, the name of another mapped device, or another form of\n"
		       ".Xr dmuse-stores 7 .\n");
	printf("The version of the target is reported as %u.%u.%u, the version of the Linux target with the same table\n"
	       "lines.\n", (*t)->version[0], (*t)->version[1], (*t)->version[2]);
	if (more)
		pages_copy(more);
	printf(".Sh SEE ALSO\n.Xr dmuse 1 ,\n.Xr dm 4 ,\n.Xr dmuse-stores 7\n");
	return 0;
}

static int pages_stores(void)
{
	const struct dm_store_type *const *s;

	put_head("dmuse-stores", 7, "dmuse-stores");
	printf(".Nd forms of the device argument of a table line\n.Sh DESCRIPTION\n"
	       "A table line names the stores that hold its sectors.\n"
	       "A word without a prefix is offered to each of these in order, and the first that recognizes it is used:\n"
	       "the name of a mapped device, its\n.Pa /dev/mapper\npath, uuid or numbers go to\n.Cm device ;\n"
	       "other paths go to\n.Cm file .\n"
	       "A prefix with a colon selects one; options may follow the prefix, each after a comma.\n"
	       "Relative paths are relative to the working directory of the command.\n"
	       "A word that contains blanks must be quoted, or each blank escaped with a backslash.\n"
	       "A backslash escapes any next byte, also a line break.\n.Bl -tag -width Ds\n");
	for (s = dm_store_types; *s; s++) {
		printf(".It ");
		put((*s)->usage, strlen((*s)->usage));
		printf("\n");
		put_sentences((*s)->about);
	}
	printf(".El\n.Sh SEE ALSO\n.Xr dmuse 1 ,\n.Xr dm 4\n");
	return 0;
}

static void put_option(const struct option_row *o)
{
	printf(".It ");
	if (o->letter)
		printf("Fl %c%s", o->letter, o->name ? " , " : "");
	if (o->name) {
		printf("Fl \\-");
		put(o->name, strlen(o->name));
	}
	if (o->arg)
		printf(" Ar %s", o->arg);
	printf("\n");
	put(o->about, strlen(o->about));
	printf("\n");
}

/* How to say a device without its name is said once, too; to create they give it. */
static bool selects(const struct command *c, unsigned id)
{
	return (id == OPT_uuid || id == OPT_major || id == OPT_minor) && strcmp(c->name, "create");
}

static bool says_options(const struct command *c)
{
	const uint8_t *o;

	for (o = c->options; *o > OPTION_ACCEPTED; o++)
		if (!selects(c, *o))
			return true;
	return false;
}

static void put_command(const struct command *c)
{
	const uint8_t *o;
	const char *at, *end;

	for (at = c->usage; at; at = *end ? end + 1 : NULL) {
		end = at + strcspn(at, "\n");
		printf(".It Cm %s", c->name);
		if (*at && *at != '\n')
			printf(" No ");
		put(at, (size_t)(end - at));
		printf("\n");
	}
	put_sentences(c->about);
	if (!says_options(c))
		return;
	printf(".Bl -tag -width Ds -compact\n");
	for (o = c->options; *o > OPTION_ACCEPTED; o++)
		if (!selects(c, *o))
			put_option(&rows[*o]);
	printf(".El\n");
}

/* PAGE, with a line "@COMMANDS@" and a line "@OPTIONS@" filled in. */
static int pages_command(const char *page)
{
	static const uint8_t common[] = { OPT_help, OPT_version, OPT_socket, OPT_owner, OPT_json };
	FILE *f = pages_open(page);
	const struct command *c;
	char line[1024];
	size_t i;

	while (fgets(line, sizeof(line), f)) {
		if (!strcmp(line, "@COMMANDS@\n"))
			for (c = list; c->name; c++)
				put_command(c);
		else if (!strcmp(line, "@OPTIONS@\n"))
			for (i = 0; i < sizeof(common); i++)
				put_option(&rows[common[i]]);
		else
			fputs(line, stdout);
	}
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "target"))
		return pages_target(argv[2], argv[3], argv[4]);
	if (argc == 2 && !strcmp(argv[1], "stores"))
		return pages_stores();
	if (argc == 3 && !strcmp(argv[1], "command"))
		return pages_command(argv[2]);
	fprintf(stderr, "usage: pages target NAME SOURCE [MORE] | stores | command PAGE\n");
	return 2;
}
