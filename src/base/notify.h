/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of sd_notify(3) to whoever has started this process: systemd, or a keeper (cmd/keeper.h). libsystemd's functions wait
 * until the receiver has room for a message, so a keeper that somebody has stopped would stop the daemon. Here what cannot be sent
 * at once waits, in order, until the receiver reads. NOTIFY_SOCKET says where to: an absolute path, or an abstract address that
 * begins with '@'; or, from a keeper, "fd:N", a descriptor of one end of a pair of sockets, which nobody else has. Anything else is
 * ignored, as all but the first two are by sd_notify(3). Control thread.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdbool.h>

struct loop;
struct notice;

/* Is there somebody to tell? Also in a program that the daemon has started, although it cannot tell a keeper anything. */
bool notify_is_there(void);

/* The loop in which messages wait; NULL: there is none (any more), so the caller waits instead. What waits then is dropped. */
void notify_loop(struct loop *l);

/*
 * Sends TEXT, with a copy of the descriptor FD if it is not -1. 0: it was sent; or it waits, then *WAITS (if WAITS is not NULL)
 * names it until it was sent, when it is NULL again. -errno: it was not sent; -ENOTCONN: nobody is there.
 */
int notify_send(const char *text, int fd, struct notice **waits);

/* N, which waits, is not sent. */
void notify_cancel(struct notice *n);

/* For another program that this process becomes: the descriptor, if there is one, is passed on; or that came to nothing. */
void notify_hand_over(bool on);

/* Do messages wait? */
bool notify_waits(void);

/* Returns when the receiver has dealt with all that was sent to it, or after MS milliseconds. */
void notify_barrier(int ms);

#endif
