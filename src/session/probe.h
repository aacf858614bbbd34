/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks for the features that sessions need by doing what a session does, each in a child process that leaves nothing
 * behind.
 */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include "session/feature.h"

#define PROBE_UNNEEDED 1	/* this user does not need it, or a feature it depends on is missing */

/* 0: it is there. -errno: it is missing, see feature_explain(). Or PROBE_UNNEEDED. */
int feature_probe(enum feature p);

/*
 * The first needed feature that is missing, with the message of feature_fail(): its -errno. 0, with E unchanged: none
 * is.
 */
int feature_missing(struct err *e);

#endif
