/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target `slow`: its messages and statuses take time, on a thread of its own, and it raises events from there.
 * Messages: `echo WORDS` answers at once; `later ERRNO CHANGED` on the thread, `hang` not before slow_end(); `change` at once
 * and has changed what is kept; `fail` at once, without a sentence. Its status is how often it was made ready.
 */
#ifndef TESTS_SUPPORT_SLOW_H
#define TESTS_SUPPORT_SLOW_H

#include "core/table/target.h"

extern const struct dm_type slow_type;

/* From now on a status is made ready by the thread, and fails with ERR; or hangs as a message does. */
void slow_status(int err, bool hang);
/* What hangs; NULL: nothing does. */
struct dm_ask *slow_hangs(void);
/* It ends, on a thread of its own. */
void slow_end(int err, bool changed);
/* Lines that are there; destructors count them off. */
unsigned slow_lines(void);
/* Preresume raises an event, too. */
extern bool slow_raises_early;

#endif
