/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop of one thread: watched descriptors, messages from other threads, timers, and work to do once at the
 * end of every turn (such as sending what the turn has gathered). The control thread has one, and so has every io
 * thread.
 *
 * All functions belong to the loop's own thread, except loop_post() and loop_stop(), which any thread may call.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/timers.h"

struct loop;

/* A message stays in its sender's memory until run() is called on the receiving loop's thread. */
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
	 * For polling (awake.h), or NULL: does what ready() does, if there is something to do, without blocking; else
	 * returns false.
	 */
	bool (*poll)(struct loop_watch *w);
};

/* Work for the end of this turn: queued at most once a turn with loop_defer(). */
struct loop_work {
	struct list node;	/* list_init() before the first use */
	void (*run)(struct loop_work *w);
};

/*
 * A call that may block, made on the loop's own thread when nothing else is left to do in a turn. If it takes long,
 * another thread takes over the loop (standin.h), so call() must not touch the loop's data; done() may.
 */
struct loop_call {
	void (*call)(struct loop_call *c);
	void (*done)(struct loop_call *c);
	struct loop_msg back;	/* the loop's */
};

int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l);

/* Runs turns until loop_stop(). */
void loop_run(struct loop *l);

/* One turn: waits for something to do (at most TIMEOUT_MS; -1: no limit) and does it. That includes deferred work. */
void loop_turn(struct loop *l, int timeout_ms);

/* Timers of this loop will use C (by default, the machine's clock). No timer may be on yet. */
void loop_use_clock(struct loop *l, struct clock *c);
/* T runs NS nanoseconds from now, at the end of a turn, unless timer_stop() is called. */
void loop_timer(struct loop *l, struct timer *t, uint64_t ns);

/*
 * The thread may stay awake for up to US microseconds before each sleep, if that is faster (awake.h). 0, the default:
 * never.
 */
void loop_poll_for(struct loop *l, unsigned us);

/* The number of this turn: what was found out in the same turn need not be checked again. */
uint64_t loop_turn_number(const struct loop *l);

void loop_stop(struct loop *l);
bool loop_stopped(const struct loop *l);

/* Runs MSG on L's thread, after everything that the same thread posted before. */
void loop_post(struct loop *l, struct loop_msg *msg);

/* 0 or -errno. W must stay valid until loop_unwatch(). */
int loop_watch(struct loop *l, struct loop_watch *w);
int loop_rewatch(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_unwatch(struct loop *l, struct loop_watch *w);

void loop_defer(struct loop *l, struct loop_work *w);

/*
 * Any thread: true if the loop's own thread is asleep with nothing to do. Then everything that belongs to that thread
 * belongs to the caller until loop_return(), for something brief that does not wait, set timers or unwatch anything.
 * False: post a message instead.
 */
bool loop_borrow(struct loop *l);
void loop_return(struct loop *l);

/*
 * C is called at the end of this turn. False: it is not, and the caller has to do it in another way. That is so if
 * another client than the last one was served recently, if the caller runs the loop itself (loop_turn()), or if another
 * call waits already.
 */
bool loop_call_here(struct loop *l, struct loop_call *c);

/* For ready() and poll() of W: N requests arrived together. The loop chooses its way of waiting by this. */
void loop_heard(struct loop *l, struct loop_watch *w, unsigned n);

#endif
