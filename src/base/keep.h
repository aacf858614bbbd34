/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive the daemon. Who started it, systemd or a keeper (cmd/keeper.h), holds copies of them under
 * names, and passes them to the daemon that is started after this one has died. Both speak the protocol of sd_notify(3)
 * and sd_listen_fds(3): NOTIFY_SOCKET says where to, and FDSTORE how many descriptors are held at most. systemd sets
 * FDSTORE from version 254 on; for earlier ones the unit does. Control thread.
 */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

#define KEEP_NAME 200	/* bytes of a name at most; it consists of a-z 0-9 : . _ - */

/*
 * Once, before anything else: what was passed to this process is sorted. What an earlier daemon has kept waits for
 * keep_take(). Each other descriptor is a socket of socket activation: PASSED gets it, with the name that systemd gives
 * it, and owns it. 0, or -errno and a sentence: the first failure, and PASSED is not called again.
 */
int keep_begin(int (*passed)(void *arg, int fd, const char *name, struct err *e), void *arg, struct err *e);

/* The same for one descriptor that was inherited otherwise, under the name with which it was sent to be kept. */
int keep_adopt(const char *sent, int fd, struct err *e);

/* Does somebody keep descriptors for us? */
bool keep_is_there(void);
/* Is anything kept? */
bool keep_is_any(void);

/*
 * A copy of FD is kept under NAME, instead of what was kept under it. Nothing happens if nobody keeps descriptors. 0, or
 * -errno and a sentence; then nothing is kept under NAME.
 */
int keep_fd(const char *name, int fd, struct err *e);

/* What is kept under NAME, if anything, is not kept any longer. */
void keep_drop(const char *name);

/*
 * The descriptor that an earlier daemon has kept under NAME, which is now the caller's, and stays kept; -1 if there is
 * none, or it was taken.
 */
int keep_take(const char *name);

/* A copy of what is kept under NAME, by this daemon or an earlier one, for the caller: any number of times. -1: there is none. */
int keep_copy(const char *name);

/* All names with this prefix that an earlier daemon has kept, and that were not taken. SEE may take the one it sees. */
void keep_each(const char *prefix, void (*see)(void *arg, const char *name), void *arg);

/* At the end of the start: what nobody has taken is dropped, and logged. */
void keep_rest(void);

/*
 * For another program that this process becomes with execve(2): adds a line `kept FD NAME` for each descriptor that is kept and
 * not taken out again, and lets it be passed on. That program calls keep_inherit() with them. hand_back: it did not come to that.
 */
void keep_hand_over(struct text *to);
void keep_hand_back(void);
int keep_inherit(const char *name, int fd, struct err *e);

#endif
