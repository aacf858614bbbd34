/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: opening a file may involve a file server that is dead. Each call is made on a helper
 * thread, while the loop continues. A call gets a thread at once, up to a limit. The calls of somebody who makes very
 * many (`bulk`) share a few threads, and get more while none of them returns. For opening and looking up files, and for the memory of
 * other processes. Not for reading and writing (aio.h), nor for computations (work.h).
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

#define BLOCKING_FEW 8u		/* threads for bulk calls, if they return in time; and idle threads kept */
#define BLOCKING_MOST 64u

struct blocking;

enum blocking_state { BLOCKING_IDLE, BLOCKING_WAITS, BLOCKING_RUNS, BLOCKING_OVER };

/* Must stay valid until done() or drop(), one of which is called, once. */
struct blocking_call {
	void (*call)(struct blocking_call *c);	/* on a helper thread */
	void (*done)(struct blocking_call *c);	/* on the loop's thread, after call() */
	void (*drop)(struct blocking_call *c);	/* instead of done() when the pool is gone; on any thread */
	bool bulk;
	struct list node;			/* from here on the pool's; zero before the first use */
	enum blocking_state state;
	bool lost;
};

int blocking_new(struct blocking **out, struct loop *l, struct err *e);

/* 0, or -errno: no thread can be started, and none will become free. */
int blocking_start(struct blocking *b, struct blocking_call *c);

/*
 * Nobody waits for C any more. True: done() will not be called, because call() was not called, or done() was already.
 * False: call() is running, and done() is called when it returns; until then another thread may be used in its place.
 */
bool blocking_give_up(struct blocking *b, struct blocking_call *c);

/* Is thread id TID one of B's threads? Any thread. */
bool blocking_has_thread(const struct blocking *b, pid_t tid);

/* Does not wait for running calls: they are dropped when they return. B may be NULL. */
void blocking_free(struct blocking *b);

#endif
