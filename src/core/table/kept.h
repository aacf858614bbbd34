/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores whose word leads to them only as long as somebody else is there: a descriptor of a process (/proc/PID/fd/N), a path
 * in its namespaces (/proc/PID/root/...). A later daemon could not open them, so a descriptor is kept for it (base/keep.h),
 * under the word as tables show it. Control thread.
 */
#ifndef CORE_KEPT_H
#define CORE_KEPT_H

#include <stdbool.h>

#include "base/err.h"

/* A copy of what is kept for WORD, for the caller; -1: nothing is. */
int dm_kept_copy(const char *word, bool readonly);

/* From now on FD is kept for it, if somebody keeps descriptors: 0, or -errno and a sentence. */
int dm_kept_put(const char *word, bool readonly, int fd, struct err *e);
void dm_kept_drop(const char *word, bool readonly);

#endif
