/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: whoever opens a file asks its file system, and that may be a server that is dead. Each
 * is made on a helper thread, and the loop goes on meanwhile. A call gets a thread at once, up to a bound; those of somebody
 * who makes very many (`bulk`) share a few, and get more while none of them returns. For opening and looking up. Not for
 * reading and writing (aio.h), and not for what computes (work.h).
 *
 * All functions belong to the loop's thread.
 */
#ifndef BASE_BLOCKING_H
#define BASE_BLOCKING_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"

#define BLOCKING_FEW 8u		/* threads for calls in bulk, if they return in time; and so many wait for work */
#define BLOCKING_MOST 64u

struct blocking;

enum blocking_state { BLOCKING_IDLE, BLOCKING_WAITS, BLOCKING_RUNS, BLOCKING_OVER };

/* It stays until done() or drop(), of which one comes once. */
struct blocking_call {
	void (*call)(struct blocking_call *c);	/* on a helper thread */
	void (*done)(struct blocking_call *c);	/* on the loop's, after call() */
	void (*drop)(struct blocking_call *c);	/* instead of done() when the pool is gone: on any thread, touches nothing of the loop's */
	bool bulk;
	struct list node;			/* from here on the pool's; zeroed before the first use */
	enum blocking_state state;
	bool lost;
};

int blocking_new(struct blocking **out, struct loop *l, struct err *e);

/* 0, or -errno: there is no thread to be had, and none that will take it. */
int blocking_start(struct blocking *b, struct blocking_call *c);

/*
 * Nobody waits for C any more. True: done() does not come, for it was never made, or is over. False: it is under way, and
 * done() comes when it has returned; until then another thread may do other work in its place.
 */
bool blocking_give_up(struct blocking *b, struct blocking_call *c);

/* Is TID, a thread's number as the kernel has it, one of B's? Any thread. */
bool blocking_has_thread(const struct blocking *b, pid_t tid);

/* Does not wait for calls that are under way: they are dropped when they return. B may be NULL. */
void blocking_free(struct blocking *b);

#endif
