/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop's internals. loop.c has turns, messages and watches; loop_run.c decides which thread runs the loop, and
 * loop_lend.c lends it while that sleeps.
 */
#ifndef BASE_LOOP_OWN_H
#define BASE_LOOP_OWN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "base/awake.h"
#include "base/loop.h"
#include "base/standin.h"

#define LOOP_EVENTS 64

struct loop {
	int epoll_fd, wake_fd;
	_Atomic(struct loop_msg *) inbox;	/* newest first */
	atomic_bool stop;
	struct list work;			/* loop_work of this turn */
	struct timers timers;
	struct epoll_event events[LOOP_EVENTS];
	int n_events, at_event;			/* the batch that is being handled */
	uint64_t turns;
	struct awake awake;
	long displaced;				/* how often this thread had been preempted at the last check */
	struct loop_watch *hot[2];		/* the last two watches with events, if they can be polled */
	unsigned heard;				/* requests in this turn */
	bool alone;				/* the last one came alone */
	uint64_t company;			/* the last turn in which another watch than before had an event */
	bool running;				/* in loop_run() */
	struct loop_call *call;			/* waits for the end of this turn */
	struct standin standin;
	pthread_t other;			/* the second thread, once there is one */
	bool has_other;
	atomic_int lent;			/* see loop_lend.c */
	sem_t returned;
};

void loop_wake(struct loop *l);

/* Does the deferred work, up to a limit. */
void loop_run_work(struct loop *l);

/* Ends the second thread, if there is one. */
void loop_run_over(struct loop *l);

/* The loop's thread sleeps between loop_lend() and loop_take_back(). */
void loop_lend_init(struct loop *l);
void loop_lend_destroy(struct loop *l);
void loop_lend(struct loop *l);
void loop_take_back(struct loop *l);

#endif
