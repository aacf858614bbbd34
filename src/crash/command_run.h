/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command with a time limit, in a process group of its own. When it is over, nothing of it is left: processes that it has started,
 * in whatever group or session, are killed. For that the caller is to be their reaper (command_run_prepare()). Children that it has had
 * before are left alone.
 */
#ifndef CRASH_COMMAND_RUN_H
#define CRASH_COMMAND_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"

#define COMMAND_RUN_OUTPUT 8192u

struct command_run {
	char *const *argv;
	const char *cwd;	/* NULL: ours */
	unsigned seconds;	/* 0: no limit */
	size_t output;		/* bytes: the last ones of what it prints; 0: COMMAND_RUN_OUTPUT */
};

enum command_end { COMMAND_EXITED, COMMAND_KILLED, COMMAND_HUNG, COMMAND_FAILED };

/* Once in a process, before the first. */
void command_run_prepare(void);

/*
 * How it ended; *STATUS is its exit status or the signal; what it printed, on stdout and stderr, is added to OUT. FAILED: it could not be
 * started, and *STATUS is -errno.
 */
enum command_end command_run(const struct command_run *c, int *status, struct text *out);

#define COMMAND_WORDS 6

/* COMMAND as argv: a program, which gets WORD; or a line for sh(1), in which that is $1. */
void command_words(char *argv[COMMAND_WORDS], const char *command, const char *word);

/* What both commands find: $DMUSE, this program, unless it is set; $OLDPWD, our directory. */
void command_environment(void);

/* A command whose first word is a relative path keeps its meaning elsewhere: with the path absolute, freed by the caller; NULL: no memory. */
char *command_absolute(const char *command);

#endif
