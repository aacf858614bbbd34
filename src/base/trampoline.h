/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For operations that end with a callback, which may be called before the start returns, or at any time later. If the
 * callback itself started the next one, a thousand that end at once would be a thousand calls deep. So it asks here
 * whether it was called from inside the start; then it only leaves its result, and the loop around the start continues:
 *
 * 	do {					done() {
 * 		trampoline_enter(t);			if (!trampoline_landed(t) && take the result)
 * 		start();					the loop;
 * 	} while (trampoline_leave(t) &&		}
 * 		 take the result);
 *
 * All of it on one thread.
 */
#ifndef BASE_TRAMPOLINE_H
#define BASE_TRAMPOLINE_H

#include <stdbool.h>

struct trampoline {
	bool inside, landed;
};

static inline void trampoline_enter(struct trampoline *t)
{
	*t = (struct trampoline){ .inside = true };
}

/* True: the callback was called meanwhile, and its result is to be taken. */
static inline bool trampoline_leave(struct trampoline *t)
{
	t->inside = false;
	return t->landed;
}

/* True: the loop is further up the stack and continues. */
static inline bool trampoline_landed(struct trampoline *t)
{
	t->landed |= t->inside;
	return t->inside;
}

#endif
