/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks for the pieces of a session by doing what a session does, each in a process of its own that leaves nothing. */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include "session/piece.h"

#define PROBE_UNNEEDED 1	/* this user has no use for it, or a piece it stands on is missing */

/* 0: it is there. -errno: it is not, see piece_explain(). PROBE_UNNEEDED. */
int piece_probe(enum piece p);

/* The first needed one that is missing, as piece_lacks() says it: its -errno. 0, and E as it was: none is. */
int piece_missing(struct err *e);

#endif
