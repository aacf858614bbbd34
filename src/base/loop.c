/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: see loop.h. Messages are pushed on a lock-free stack, which is reversed when it is taken, so each
 * sender's order is kept; only the sender that finds the stack empty writes to the eventfd.
 */
#include "base/loop_own.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOP_PASSES 4
#define LOOP_POLLS 16u		/* after so many turns with one request each, the other watches are checked as well */
#define LOOP_GAP 3000u		/* nanoseconds: longer than polling takes */
#define LOOP_HOLD 20000u	/* nanoseconds */

int loop_new(struct loop **out, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, -ENOMEM, "no memory for an event loop");
	list_init(&l->work);
	standin_init(&l->standin);
	loop_lend_init(l);
	timers_init(&l->timers, &clock_monotonic);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->wake_fd < 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev)) {
		int code = -errno;

		loop_free(l);
		return err_set(e, code, "cannot create an event loop: %s", strerror(-code));
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_run_over(l);
	loop_lend_destroy(l);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	free(l);
}

void loop_wake(struct loop *l)
{
	uint64_t one = 1;

	if (write(l->wake_fd, &one, sizeof(one)) < 0)
		return;		/* the counter is at its limit, so it wakes the loop anyway */
}

void loop_post(struct loop *l, struct loop_msg *msg)
{
	struct loop_msg *old = atomic_load_explicit(&l->inbox, memory_order_relaxed);

	do
		msg->next = old;
	while (!atomic_compare_exchange_weak_explicit(&l->inbox, &old, msg, memory_order_release,
						      memory_order_relaxed));
	if (!old)
		loop_wake(l);
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	loop_wake(l);
}

bool loop_stopped(const struct loop *l)
{
	return atomic_load(&l->stop);
}

static void loop_run_inbox(struct loop *l)
{
	struct loop_msg *m = atomic_exchange_explicit(&l->inbox, NULL, memory_order_acquire);
	struct loop_msg *first = NULL, *next;

	for (; m; m = next) {
		next = m->next;
		m->next = first;
		first = m;
	}
	for (; first; first = next) {
		next = first->next;
		first->run(first);
	}
}

static void loop_run_queued(struct loop *l)
{
	struct list now, *n;

	list_init(&now);
	while ((n = list_take(&l->work)))
		list_append(&now, n);
	while ((n = list_take(&now))) {
		struct loop_work *w = container(n, struct loop_work, node);

		w->run(w);
	}
}

/*
 * Work defers more work: requests go to the disk, page cache hits complete, replies are sent. All that is done in one
 * turn; anything that goes on longer waits for the next one, so that events are not starved.
 */
void loop_run_work(struct loop *l)
{
	int pass;

	for (pass = 0; pass < LOOP_PASSES && !list_empty(&l->work); pass++)
		loop_run_queued(l);
}

static void loop_woken(struct loop *l)
{
	uint64_t count;

	if (read(l->wake_fd, &count, sizeof(count)) < 0)
		return;		/* a previous wake-up was read */
}

static uint64_t loop_clock(void)
{
	return clock_now(&clock_monotonic);
}

void loop_heard(struct loop *l, struct loop_watch *w, unsigned n)
{
	l->heard += n;
	l->alone = n <= 1;
	if (l->hot[0] == w)
		return;
	if (l->hot[0])
		l->company = l->turns;
	l->hot[1] = l->hot[0];
	l->hot[0] = w;
}

/* Polls hot watch N, which may be unwatched meanwhile. */
static bool loop_ask(struct loop *l, unsigned n)
{
	return l->hot[n] && l->hot[n]->poll(l->hot[n]);
}

/* Was this thread preempted since the last call? */
static bool loop_was_displaced(struct loop *l)
{
	long before = l->displaced;
	struct rusage u;

	if (getrusage(RUSAGE_THREAD, &u))
		return false;
	l->displaced = u.ru_nivcsw;
	return l->displaced != before;
}

/* Polls the hot watches repeatedly: true, there was something. */
static bool loop_poll(struct loop *l)
{
	uint64_t began = loop_clock(), now = began, last;

	do {
		if (loop_ask(l, 0) || loop_ask(l, 1))
			return true;
		if (atomic_load_explicit(&l->inbox, memory_order_relaxed) || loop_stopped(l))
			return false;
		last = now;
		now = loop_clock();
		if (now - last > LOOP_GAP && loop_was_displaced(l))
			awake_displaced(&l->awake, now);
	} while (now - began < l->awake.most && awake_now(&l->awake) == AWAKE_ASKING);
	return false;
}

/* What arrives meanwhile does not wake the thread. */
static bool loop_hold(struct loop *l)
{
	static const struct timespec a_moment = { .tv_nsec = LOOP_HOLD };
	bool some;

	nanosleep(&a_moment, NULL);
	some = loop_ask(l, 0);
	return loop_ask(l, 1) || some;
}

/* Was there something to do without sleeping? Then it has been done. */
static bool loop_stay(struct loop *l)
{
	switch (l->hot[0] ? awake_now(&l->awake) : AWAKE_ASLEEP) {
	case AWAKE_ASKING:
		return l->alone && loop_poll(l);
	case AWAKE_HOLDING:
		return loop_hold(l);
	default:
		return false;
	}
}

static void loop_sleep(struct loop *l, int timeout_ms)
{
	uint64_t began = loop_clock();

	loop_lend(l);
	l->n_events = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS, timeout_ms);
	loop_take_back(l);
	awake_slept(&l->awake, began, loop_clock());
}

/*
 * Waits for events, in the way that is best now. Events of a hot watch have been handled on return; the other watches
 * are checked after anything that took long, and from time to time.
 */
static void loop_wait(struct loop *l, int timeout_ms)
{
	l->n_events = 0;
	if (!timeout_ms || loop_stay(l)) {
		if (!timeout_ms || !l->alone || l->turns % LOOP_POLLS == 0)
			l->n_events = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS, 0);
	} else {
		loop_sleep(l, timeout_ms);
	}
}

void loop_turn(struct loop *l, int timeout_ms)
{
	int i;

	l->turns++;
	l->heard = 0;
	if (!list_empty(&l->work))
		timeout_ms = 0;
	timeout_ms = timers_wait(&l->timers, timeout_ms);
	loop_wait(l, timeout_ms);
	for (i = 0; i < l->n_events; i++) {
		struct loop_watch *w = l->events[i].data.ptr;

		l->at_event = i;
		if (w)
			w->ready(w, l->events[i].events);
		else if (l->events[i].events)
			loop_woken(l);
	}
	l->n_events = 0;
	if (l->heard)
		awake_heard(&l->awake, l->heard, loop_clock());
	loop_run_inbox(l);
	timers_run(&l->timers);
	loop_run_work(l);
}

void loop_use_clock(struct loop *l, struct clock *c)
{
	timers_init(&l->timers, c);
}

void loop_timer(struct loop *l, struct timer *t, uint64_t ns)
{
	timers_start(&l->timers, t, ns);
}

void loop_poll_for(struct loop *l, unsigned us)
{
	awake_init(&l->awake, us * UINT64_C(1000));
}

uint64_t loop_turn_number(const struct loop *l)
{
	return l->turns;
}

int loop_watch(struct loop *l, struct loop_watch *w)
{
	struct epoll_event ev = { .events = w->events, .data.ptr = w };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev) ? -errno : 0;
}

int loop_rewatch(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (events == w->events)
		return 0;
	w->events = events;
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) ? -errno : 0;
}

/* A pending event of W in this turn's batch must not be delivered any more. */
void loop_unwatch(struct loop *l, struct loop_watch *w)
{
	int i;

	for (i = 0; i < 2; i++)
		if (l->hot[i] == w)
			l->hot[i] = NULL;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	for (i = l->at_event + 1; i < l->n_events; i++)
		if (l->events[i].data.ptr == w) {
			l->events[i].data.ptr = NULL;
			l->events[i].events = 0;
		}
}

void loop_defer(struct loop *l, struct loop_work *w)
{
	if (list_empty(&w->node))
		list_append(&l->work, &w->node);
}
