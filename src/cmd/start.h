/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a daemon for a sub-command that needs one. */
#ifndef CMD_START_H
#define CMD_START_H

#include "base/err.h"

/*
 * Only one caller at a time may be between finding no daemon and having started one: start_lock() waits for its turn
 * and returns a descriptor to be closed afterwards, or -errno and a sentence. The lock is on the socket's folder, which
 * is made if need be.
 */
int start_lock(const char *control, struct err *e);

/* Runs `dmuse daemon` on the socket CONTROL and waits until it serves. 0, or -errno and a sentence. */
int start_daemon(const char *control, struct err *e);

/* What systemd has told the caller is not for a daemon. */
void start_forget_environment(void);

#endif
