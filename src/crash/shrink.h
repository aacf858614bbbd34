/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a state that fails to one that fails with fewer lost writes, by delta debugging (Zeller and Hildebrandt, "Simplifying and
 * isolating failure-inducing input", 2002): parts of what is lost are tried, and all but a part, in ever smaller parts. First
 * whole writes, then the units of those that are left.
 */
#ifndef CRASH_SHRINK_H
#define CRASH_SHRINK_H

#include "crash/crew.h"

/* JOB, which failed, becomes the smaller one. *TRIED counts the states that were tried. 0, or -errno and a sentence. */
int shrink(struct crew *c, const struct history *h, struct crew_job *job, size_t *tried, struct err *e);

#endif
