/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See blocking.h. The threads are detached, and the last user frees the pool: nobody has to wait for a call that hangs.
 */
#include "base/blocking.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/thread.h"

#define BLOCKING_STACK (256u * 1024u)
#define BLOCKING_PATIENCE (20 * UINT64_C(1000000))	/* nanoseconds without a new call, then one more thread */

struct blocking {
	_Atomic pid_t tids[BLOCKING_MOST];	/* of its threads; 0: a free slot */
	struct loop *loop;
	struct timer patience;
	unsigned begun_before;		/* `begun` when the timer was started */

	pthread_mutex_t lock;		/* guards what follows, and node and state of calls */
	pthread_cond_t more;
	struct list todo, bulk, over;	/* blocking_call.node */
	unsigned queued;		/* calls in `todo` */
	unsigned bulk_now, bulk_most;	/* threads that make bulk calls, and the limit */
	unsigned n, idle, lost;		/* threads: all, idle, in calls that were given up */
	unsigned users;			/* threads, and the creator of the pool */
	unsigned begun;			/* calls, so far */
	bool told;			/* `news` is on its way to the loop */
	bool stop;
	struct loop_msg news;
};

/* With the lock held, which is released. */
static void blocking_leave(struct blocking *b)
{
	bool last = --b->users == 0;

	pthread_mutex_unlock(&b->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->more);
	free(b);
}

/* With the lock held. */
static struct blocking_call *blocking_next(struct blocking *b)
{
	struct list *n = list_take(&b->todo);

	if (n) {
		b->queued--;
	} else if (b->bulk_now < b->bulk_most && (n = list_take(&b->bulk))) {
		b->bulk_now++;
	}
	return n ? container(n, struct blocking_call, node) : NULL;
}

/* The next call to make, or NULL: the thread has to end. With the lock held. */
static struct blocking_call *blocking_take(struct blocking *b)
{
	struct blocking_call *c;

	while (!(c = blocking_next(b)) && !b->stop && b->idle < BLOCKING_FEW) {
		b->idle++;
		pthread_cond_wait(&b->more, &b->lock);
		b->idle--;
	}
	return c;
}

/* C has returned. With the lock held, which is released for a moment if nobody waits for C. */
static void blocking_returned(struct blocking *b, struct blocking_call *c)
{
	c->state = BLOCKING_OVER;
	b->lost -= c->lost;
	b->bulk_now -= c->bulk;
	if (b->stop) {
		pthread_mutex_unlock(&b->lock);
		c->drop(c);
		pthread_mutex_lock(&b->lock);
		return;
	}
	list_append(&b->over, &c->node);
	if (!b->told)
		loop_post(b->loop, &b->news);
	b->told = true;
}

/* There are enough slots for all threads. */
static _Atomic pid_t *blocking_sign_in(struct blocking *b)
{
	pid_t tid = gettid(), none = 0;
	unsigned i = 0;

	while (!atomic_compare_exchange_strong(&b->tids[i], &none, tid)) {
		none = 0;
		i = (i + 1) % BLOCKING_MOST;
	}
	return &b->tids[i];
}

bool blocking_has_thread(const struct blocking *b, pid_t tid)
{
	unsigned i;

	for (i = 0; i < BLOCKING_MOST; i++)
		if (atomic_load_explicit(&b->tids[i], memory_order_relaxed) == tid)
			return true;
	return false;
}

static void *blocking_main(void *arg)
{
	struct blocking *b = arg;
	_Atomic pid_t *place = blocking_sign_in(b);
	struct blocking_call *c;

	pthread_mutex_lock(&b->lock);
	while ((c = blocking_take(b))) {
		c->state = BLOCKING_RUNS;
		b->begun++;
		pthread_mutex_unlock(&b->lock);
		c->call(c);
		pthread_mutex_lock(&b->lock);
		blocking_returned(b, c);
	}
	atomic_store(place, 0);
	b->n--;
	blocking_leave(b);
	return NULL;
}

/* With the lock held: starts another thread. */
static bool blocking_engage(struct blocking *b)
{
	pthread_t t;

	if (thread_start(&t, "open", BLOCKING_STACK, blocking_main, b))
		return false;
	pthread_detach(t);
	b->n++;
	b->users++;
	return true;
}

/* With the lock held: calls are queued, and perhaps all threads hang. */
static void blocking_wait(struct blocking *b)
{
	b->begun_before = b->begun;
	if (!timer_is_on(&b->patience))
		loop_timer(b->loop, &b->patience, BLOCKING_PATIENCE);
}

/* With the lock held: provides a thread for one more call, an idle or a new one. */
static bool blocking_help(struct blocking *b)
{
	if (b->idle)
		pthread_cond_signal(&b->more);
	return b->idle || (b->n < BLOCKING_MOST && blocking_engage(b));
}

static void blocking_tired(struct timer *t)
{
	struct blocking *b = container(t, struct blocking, patience);

	pthread_mutex_lock(&b->lock);
	if (b->begun != b->begun_before)
		b->bulk_most = BLOCKING_FEW;
	else if (!list_empty(&b->bulk) && b->bulk_most < BLOCKING_MOST / 2)
		b->bulk_most++;
	if (!list_empty(&b->todo) || !list_empty(&b->bulk)) {
		if (b->begun == b->begun_before)
			blocking_help(b);
		blocking_wait(b);
	}
	pthread_mutex_unlock(&b->lock);
}

/* On the loop's thread: ends all calls that have returned. */
static void blocking_news(struct loop_msg *m)
{
	struct blocking *b = container(m, struct blocking, news);
	struct list over, *n;

	list_init(&over);
	pthread_mutex_lock(&b->lock);
	while ((n = list_take(&b->over)))
		list_append(&over, n);
	b->told = false;
	pthread_mutex_unlock(&b->lock);
	while ((n = list_take(&over))) {
		struct blocking_call *c = container(n, struct blocking_call, node);

		c->state = BLOCKING_IDLE;
		c->done(c);
	}
}

int blocking_new(struct blocking **out, struct loop *l, struct err *e)
{
	struct blocking *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(e, -ENOMEM, "no memory for helper threads");
	b->loop = l;
	b->users = 1;
	timer_init(&b->patience, blocking_tired);
	list_init(&b->todo);
	list_init(&b->bulk);
	b->bulk_most = BLOCKING_FEW;
	list_init(&b->over);
	b->news.run = blocking_news;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	*out = b;
	return 0;
}

/* With the lock held. */
static void blocking_withdraw(struct blocking *b, struct blocking_call *c)
{
	list_remove(&c->node);
	b->queued -= !c->bulk;
	c->state = BLOCKING_IDLE;
}

/*
 * With the lock held: provides a thread for the call that was just queued. False: there is none, and none will become
 * free. The idle thread of a bulk call may be another call's, which hangs: that is looked after.
 */
static bool blocking_serve(struct blocking *b, const struct blocking_call *c)
{
	bool served = c->bulk ? b->bulk_now < b->bulk_most && blocking_help(b) :
		      b->idle >= b->queued ? blocking_help(b) : b->n < BLOCKING_MOST && blocking_engage(b);

	if (!served || c->bulk)
		blocking_wait(b);
	return b->n > b->lost;
}

int blocking_start(struct blocking *b, struct blocking_call *c)
{
	bool ok;

	c->lost = false;
	c->state = BLOCKING_WAITS;
	pthread_mutex_lock(&b->lock);
	list_append(c->bulk ? &b->bulk : &b->todo, &c->node);
	b->queued += !c->bulk;
	ok = blocking_serve(b, c);
	if (!ok)
		blocking_withdraw(b, c);
	pthread_mutex_unlock(&b->lock);
	return ok ? 0 : -EAGAIN;
}

bool blocking_give_up(struct blocking *b, struct blocking_call *c)
{
	bool silent;

	pthread_mutex_lock(&b->lock);
	silent = c->state == BLOCKING_WAITS || c->state == BLOCKING_IDLE;
	if (c->state == BLOCKING_WAITS) {
		blocking_withdraw(b, c);
	} else if (c->state == BLOCKING_RUNS && !c->lost) {
		c->lost = true;
		b->lost++;
	}
	pthread_mutex_unlock(&b->lock);
	return silent;
}

/* With the lock held: wakes idle threads; what is still queued will never be called. */
static void blocking_close(struct blocking *b, struct list *left)
{
	struct list *n;

	b->stop = true;
	while ((n = list_take(&b->todo)) || (n = list_take(&b->bulk)) || (n = list_take(&b->over)))
		list_append(left, n);
	pthread_cond_broadcast(&b->more);
}

void blocking_free(struct blocking *b)
{
	struct list left, *n;

	if (!b)
		return;
	timer_stop(&b->patience);
	list_init(&left);
	pthread_mutex_lock(&b->lock);
	blocking_close(b, &left);
	pthread_mutex_unlock(&b->lock);
	while (b->told)		/* its message is in the loop's queue */
		loop_turn(b->loop, 0);
	while ((n = list_take(&left))) {
		struct blocking_call *c = container(n, struct blocking_call, node);

		c->drop(c);
	}
	pthread_mutex_lock(&b->lock);
	blocking_leave(b);
}
