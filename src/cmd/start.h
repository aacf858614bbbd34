/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a daemon for a sub-command that needs one. */
#ifndef CMD_START_H
#define CMD_START_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/paths.h"

/*
 * Only one caller at a time may be between finding no daemon and having started one: start_lock() waits for its turn.
 * 0, or -errno and a sentence. The lock is a file beside the socket, whose directory is created if necessary.
 */
struct start {
	char path[PATHS_MAX + sizeof(".start")];
	int lock;
};

int start_lock(struct start *s, const char *control, struct err *e);
void start_unlock(struct start *s);

/* Runs `dmuse daemon` on the socket CONTROL and waits until it serves. 0, or -errno and a sentence. */
int start_daemon(const char *control, struct err *e);

/* If a daemon on the socket CONTROL is on its way out, says so and waits until it has ended. Was there one? */
bool start_await_end(const char *control);

/* Removes the environment variables that systemd has set for the caller. */
void start_forget_environment(void);

#endif
