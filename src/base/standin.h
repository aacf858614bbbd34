/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads for one job that must not stall: one runs it; while that thread is in a call that may block, the other
 * watches, and takes the job over if the call takes too long. So the call needs no hand-over to another thread and
 * back, and a call that hangs delays the job only briefly.
 *
 * The thread that made the call ends it with standin_return(); it, or the other's look, wins by one
 * compare-and-exchange on `call`, which counts the calls: odd during a call.
 */
#ifndef BASE_STANDIN_H
#define BASE_STANDIN_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct standin {
	atomic_uint call;
	atomic_bool ticking;	/* the other looks every millisecond, for there were calls lately */
	atomic_bool over;
	sem_t wanted;		/* what it sleeps on otherwise */
};

void standin_init(struct standin *s);
void standin_destroy(struct standin *s);

/* The thread that has the job goes away; what it gets it gives to standin_return(). */
unsigned standin_leave(struct standin *s);
/* True: it has the job still. False: the other has it now, and this thread is the one that looks on. */
bool standin_return(struct standin *s, unsigned call);

/* The thread that has not the job: true once it has it, false once all is over. */
bool standin_watch(struct standin *s);
/* All is over: the one that looks on ends. Any thread. */
void standin_end(struct standin *s);

#endif
