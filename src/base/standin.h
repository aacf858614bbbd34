/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads for one job that must not stall. One runs it; while that thread is in a call that may block, the other
 * watches, and takes over the job if the call takes too long. So the call need not be passed to another thread and
 * back, and a call that hangs delays the job only briefly.
 *
 * The thread that made the call ends it with standin_return(). Either it or the watcher wins, by one
 * compare-and-exchange on `call`, which counts the calls: it is odd during a call.
 */
#ifndef BASE_STANDIN_H
#define BASE_STANDIN_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct standin {
	atomic_uint call;
	atomic_bool ticking;	/* there were calls recently, so the other thread checks every millisecond */
	atomic_bool over;
	sem_t wanted;		/* else it sleeps on this */
};

void standin_init(struct standin *s);
void standin_destroy(struct standin *s);

/* The thread with the job begins a call; the result is to be passed to standin_return(). */
unsigned standin_leave(struct standin *s);
/* True: it still has the job. False: the other thread has it now, and this one has to watch. */
bool standin_return(struct standin *s, unsigned call);

/* For the thread without the job: true when it gets it, false when everything is over. */
bool standin_watch(struct standin *s);
/* Everything is over: the watcher ends. Any thread. */
void standin_end(struct standin *s);

#endif
