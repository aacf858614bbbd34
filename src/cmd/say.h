/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages beside a command's output: one line each on stderr, coloured on a terminal. */
#ifndef CMD_SAY_H
#define CMD_SAY_H

#include "base/text.h"

void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns P; if that is NULL for lack of memory, ends the program with a message. */
void *say_need(void *p);

/* The same for a text: what it says, all of it. */
const char *say_text(const struct text *t);

/* The daemon has carried out the command: if there is no memory from now on, the message says so. */
void say_carried_out(void);

/*
 * If it takes longer than a second until say_progress_end(), tells a terminal that the daemon is being waited for, so
 * that nobody thinks the command hangs.
 */
void say_progress_begin(void);
void say_progress_end(void);

#endif
