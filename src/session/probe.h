/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks for the features that sessions need by doing what a session does, each in a child process that leaves nothing
 * behind.
 */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include "session/piece.h"

#define PROBE_UNNEEDED 1	/* this user does not need it, or a feature it depends on is missing */

/* 0: it is there. -errno: it is missing, see piece_explain(). Or PROBE_UNNEEDED. */
int piece_probe(enum piece p);

/*
 * The first needed feature that is missing, with the message of piece_lacks(): its -errno. 0, with E unchanged: none
 * is.
 */
int piece_missing(struct err *e);

#endif
