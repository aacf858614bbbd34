/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says beside its output: one line each on stderr, with a little colour on a terminal. */
#ifndef CMD_SAY_H
#define CMD_SAY_H

void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* P, or the end of the program with a sentence if it is NULL because memory ran out. */
void *say_need(void *p);

/* The daemon has done what it was asked for: who runs out of memory from now on says so. */
void say_carried_out(void);

/*
 * From a second from now on until say_progress_end() a terminal is told that the daemon is waited for, so
 * that nobody thinks it hangs.
 */
void say_progress_begin(void);
void say_progress_end(void);

#endif
