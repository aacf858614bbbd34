/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop of one thread: descriptors to watch, messages from other
 * threads, timers, and work to do once at the end of every turn (send what the turn
 * gathered). The control thread has one, and so has every io thread.
 *
 * All functions belong to the loop's own thread, but loop_post() and
 * loop_stop(), which any thread may call.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/timers.h"

struct loop;

/* A message lives in its sender's memory until run() is called, on the receiving loop's thread. */
struct loop_msg {
	struct loop_msg *next;
	void (*run)(struct loop_msg *msg);
};

/* EVENTS are epoll's (EPOLLIN, EPOLLOUT, ...); ready() may remove its own or any other watch. */
struct loop_watch {
	int fd;
	uint32_t events;
	void (*ready)(struct loop_watch *w, uint32_t events);
	/*
	 * For waiting in other ways than asleep (awake.h), or NULL: does what ready() does if there is something, without a
	 * wait, else returns false.
	 */
	bool (*poll)(struct loop_watch *w);
};

/* Work for the end of this turn: queued at most once a turn with loop_defer(). */
struct loop_work {
	struct list node;	/* list_init() it before the first use */
	void (*run)(struct loop_work *w);
};

/*
 * A call that may block, made on the loop's own thread when a turn has nothing else left to do. If it takes long, another
 * thread goes on with the loop meanwhile (standin.h), so call() touches nothing of the loop's; done() is run on it.
 */
struct loop_call {
	void (*call)(struct loop_call *c);
	void (*done)(struct loop_call *c);
	struct loop_msg back;	/* the loop's */
};

int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l);

/* Turns until loop_stop(). */
void loop_run(struct loop *l);

/* One turn: waits for something to do (at most TIMEOUT_MS; -1: no limit), does it. Deferred work counts as something. */
void loop_turn(struct loop *l, int timeout_ms);

/* Timers of this loop follow C (they follow the machine's own clock before). No timer is on yet. */
void loop_use_clock(struct loop *l, struct clock *c);
/* T runs NS nanoseconds from now, at the end of a turn; timer_stop() stops it. */
void loop_timer(struct loop *l, struct timer *t, uint64_t ns);

/* The thread may stay awake for up to US microseconds before each sleep, where that pays (awake.h). 0, the default: never. */
void loop_poll_for(struct loop *l, unsigned us);

/* The number of this turn: what was learnt in a turn of the same number need not be asked again. */
uint64_t loop_turn_number(const struct loop *l);

void loop_stop(struct loop *l);
bool loop_stopped(const struct loop *l);

/* Runs MSG on L's thread, after all that was posted before by the same thread. */
void loop_post(struct loop *l, struct loop_msg *msg);

/* 0 or -errno. W must stay until loop_unwatch(). */
int loop_watch(struct loop *l, struct loop_watch *w);
int loop_rewatch(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_unwatch(struct loop *l, struct loop_watch *w);

void loop_defer(struct loop *l, struct loop_work *w);

/*
 * Any thread: true if the loop's own thread sleeps and has nothing to do. Then all that is that thread's is this one's until
 * loop_return(), for something brief that waits for nothing, sets no timer and unwatches nothing. False: post a message.
 */
bool loop_borrow(struct loop *l);
void loop_return(struct loop *l);

/*
 * C is called at the end of this turn. False: it is not, and the caller finds another way. That is so where somebody else
 * than the last client was served lately, or turns the loop himself (loop_turn()), or another call waits already.
 */
bool loop_call_here(struct loop *l, struct loop_call *c);

/* For ready() and poll() of W: N requests were there together. How the loop waits depends on it. */
void loop_heard(struct loop *l, struct loop_watch *w, unsigned n);

#endif
