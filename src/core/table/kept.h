/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a later daemon could not open by their word, so a descriptor is kept for it (base/keep.h), under a key:
 *
 *   a word that leads there only as long as somebody else is there: a descriptor of a process (/proc/PID/fd/N), a path in its
 *   namespaces (/proc/PID/root/...). Its key is that word, as tables show it.
 *   a file whose last name is gone (nameless.h). Its key is what it is known by: another file may have its name by then.
 *
 * A descriptor is kept as long as a store uses it, or a record that could not be brought back yet (state/lost.h). Control thread.
 */
#ifndef CORE_KEPT_H
#define CORE_KEPT_H

#include <stdbool.h>

#include "base/err.h"

/* A copy of what is kept under KEY, for the caller; -1: nothing is. */
int dm_kept_copy(const char *key, bool readonly);
/* The same for the file that RECORD, lines of stores, has at WORD, under what it is known by. */
int dm_kept_known(const char *record, const char *word, bool readonly);

/*
 * From now on FD is kept under KEY, if somebody keeps descriptors, until dm_kept_drop() was called as often; FD -1: it is kept
 * already. 0, or -errno and a sentence: there is nothing to drop.
 */
int dm_kept_put(const char *key, bool readonly, int fd, struct err *e);
void dm_kept_drop(const char *key, bool readonly);

/* What is kept now for the stores of RECORD stays so until it is let go. NULL: nothing is. */
struct dm_kept_hold *dm_kept_hold(const char *record);
void dm_kept_let_go(struct dm_kept_hold *h);

#endif
