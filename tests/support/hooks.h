/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target `hooks NAME [DEVICE OFFSET]`: a line whose transition hooks do what a test tells them. Each call is
 * recorded as "NAME.hook ". Requests are passed on to the device; without one they succeed with no effect.
 */
#ifndef TESTS_SUPPORT_HOOKS_H
#define TESTS_SUPPORT_HOOKS_H

#include "core/table/target.h"

enum hooks_act {
	HOOKS_SUCCEED,
	HOOKS_FAIL,		/* with -EIO and a sentence */
	HOOKS_FAIL_SILENTLY,	/* with -EIO */
	HOOKS_HANG,		/* until hooks_end() */
	HOOKS_THREAD,		/* succeeds, on a thread of its own */
};

extern const struct dm_type hooks_type;

/* All hooks of all lines succeed again, and the record is empty. */
void hooks_reset(void);
/* WHAT, as "NAME.hook", does ACT from now on. */
void hooks_tell(const char *what, enum hooks_act act);
/* Ends the hook that hangs with RESULT. */
void hooks_end(int result);
bool hooks_hang(void);
/* The hook that hangs was told that nobody waits for it. */
bool hooks_given_up(void);
/* The calls since this was last called, without the final space; valid until the next call. */
const char *hooks_called(void);
/* how many lines exist; destructors decrement it */
unsigned hooks_lines(void);

#endif
