/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target `slow`: its messages and statuses take time, on a thread of its own, and it raises events from there.
 * Messages: `echo WORDS` answers at once; `later ERRNO CHANGED` on the thread, `hang` only after slow_end(); `change`
 * at once, having changed what it keeps; `fail` at once, without a sentence. Its status is how often it was prepared.
 */
#ifndef TESTS_SUPPORT_SLOW_H
#define TESTS_SUPPORT_SLOW_H

#include "core/table/target.h"

extern const struct dm_type slow_type;

/* From now on statuses are prepared by the thread, and fail with ERR; or hang like messages. */
void slow_status(int err, bool hang);
/* What hangs; NULL: nothing does. */
struct dm_ask *slow_hangs(void);
/* Ends it, on a thread of its own. */
void slow_end(int err, bool changed);
/* How many lines exist; destructors decrement it. */
unsigned slow_lines(void);
/* Preresume raises an event as well. */
extern bool slow_raises_early;

#endif
