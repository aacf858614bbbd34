/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target `hooks NAME [DEVICE OFFSET]`: a line whose hooks around transitions do what a test tells them, and which notes
 * each one that is called as "NAME.hook ". It passes requests on to the device, or carries out nothing without one.
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

/* All hooks of all lines succeed again, and nothing is noted. */
void hooks_reset(void);
/* WHAT, as "NAME.hook", does ACT from now on. */
void hooks_tell(const char *what, enum hooks_act act);
/* The hook that hangs ends with RESULT. */
void hooks_end(int result);
bool hooks_hang(void);
/* The one that hangs was told that nobody waits for it. */
bool hooks_given_up(void);
/* All that was called since it was last asked, without the final space; valid until then. */
const char *hooks_called(void);
/* Lines that are there; destructors count them off. */
unsigned hooks_lines(void);

#endif
