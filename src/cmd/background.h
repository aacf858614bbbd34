/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Going into the background. The parent returns when the daemon serves, or has said on stderr why it cannot; from then
 * on the daemon writes to a log. With a keeper (keeper.h) both write there, and it is the keeper that tells the parent.
 */
#ifndef CMD_BACKGROUND_H
#define CMD_BACKGROUND_H

#include "base/err.h"

struct background {
	int ready_fd;		/* the parent waits for it; -1: nobody does */
	int log_fd;		/* -1 in the foreground, and once stderr is the log */
};

#define BACKGROUND_NONE ((struct background){ .ready_fd = -1, .log_fd = -1 })

/* Returns -1 in the daemon, and the exit code in the parent. */
int background_begin(struct background *b, const char *log, struct err *e);

/* The daemon serves: stderr becomes the log, and the parent is told. */
void background_served(struct background *b);

/* In a program that replaces one in the background (replace.h): stderr is the log already. */
void background_is_log(void);

/* Another process than this one tells the parent. */
void background_told_by_other(struct background *b);

#endif
