/* SPDX-License-Identifier: BSD-2-Clause */
/* One invocation of the program: the sub-command, its options and words, and its connection to the daemon. */
#ifndef CMD_JOB_H
#define CMD_JOB_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "cmd/options.h"
#include "proto/plist.h"
#include "cmd/suggest.h"

enum exit_code {
	EXIT_OK,
	EXIT_FAILED,	/* an error message was printed */
	EXIT_USAGE,	/* the same, and the usage */
};

struct client;
struct command;

struct job {
	const struct command *command;
	struct options o;
	int argc;		/* the words after the sub-command */
	char **argv;
	struct client *client;	/* NULL until it is needed */
	plist_t changed;	/* between show_list() and show_list_end(): the devices' states, for --json */
	plist_t failure;	/* --json: the first failure */
	bool quiet;		/* warnings are not printed */
	bool answered;		/* --json: an answer was printed, or stdout is a program's */
};

struct command {
	const char *name;
	const char *usage;	/* the words after the name; lines are alternatives */
	const char *about;
	const uint8_t *options;	/* ends with OPTION_END */
	int (*run)(struct job *j);	/* an exit_code */
	bool program;		/* runs a program, whose words follow the first one and whose exit codes are kept apart */
};

/* All of commands.list; ends with a row without name. */
extern const struct command commands[];
const struct command *command_find(const char *name);

/* Prints the usage of the whole program, or of one sub-command. EXIT_OK. */
int help_program(struct job *j);
int help_command(struct job *j, const struct command *c);
void help_usage(FILE *to, const struct command *c);

/* "; did you mean 'COMMAND'?" for a WORD that is not a command, or nothing. */
const char *help_meant(const char *word, char buffer[SUGGEST_TEXT]);

/*
 * Says what is wrong with the words, and prints the usage. Returns EXIT_USAGE. With --json this, as any failure,
 * becomes the command's only output: an object with `error`, `code`, `symbol` and `place`.
 */
int job_usage(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints E after "dmuse: COMMAND WHAT: " (WHAT may be NULL). Returns EXIT_FAILED. */
int job_failed(struct job *j, const char *what, const struct err *e);
/* The same if it is not known which sub-command was meant. */
int job_lost(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints NODE, the command's only output, as JSON. Frees it. EXIT_OK. */
int job_print_json(struct job *j, plist_t node);
/* At the end, with --json: prints the failure, or {} if nothing was printed. Returns CODE. */
int job_end(struct job *j, int code);

#endif
