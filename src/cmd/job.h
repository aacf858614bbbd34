/* SPDX-License-Identifier: BSD-2-Clause */
/* One invocation of the program: the sub-command, its options and words, and the daemon at the other end. */
#ifndef CMD_JOB_H
#define CMD_JOB_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/options.h"
#include "cmd/suggest.h"

enum exit_code {
	EXIT_OK,
	EXIT_FAILED,	/* a sentence was said on stderr */
	EXIT_USAGE,	/* the same, and how it is used */
};

struct client;
struct command;

struct job {
	const struct command *command;
	struct options o;
	int argc;		/* the words behind the sub-command */
	char **argv;
	struct client *client;	/* once it was needed */
	void *changed;		/* between show_list() and show_list_end(): the plist of their states, for --json */
};

struct command {
	const char *name;
	const char *usage;	/* the words behind the name; lines are alternatives */
	const char *about;
	const uint8_t *options;	/* ends with OPTION_END */
	int (*run)(struct job *j);	/* an exit_code */
	bool program;		/* runs one: what follows the first word is its own, and its exit codes are kept apart */
};

/* All of commands.list, ends with a row without name. */
extern const struct command commands[];
const struct command *command_find(const char *name);

/* Prints how the whole program, or one sub-command, is used. */
void help_program(void);
void help_command(const struct command *c);

/* "; did you mean 'COMMAND'?" for a WORD that is none, or nothing. */
const char *help_meant(const char *word, char buffer[SUGGEST_TEXT]);

/* Says what is wrong with the words, and how they go. Returns EXIT_USAGE. */
int job_usage(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says E behind "dmuse: COMMAND WHAT: " (WHAT may be NULL). Returns EXIT_FAILED. */
int job_failed(struct job *j, const char *what, const struct err *e);

#endif
