/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lending a loop: passing a small job to a sleeping thread, and being woken by its answer, costs more than the job. So
 * while the thread sleeps, another one may do the job in its place. One word says who has the loop: its thread lends it
 * while it sleeps, and takes it back when it wakes.
 */
#include <errno.h>

#include "base/loop_own.h"

enum {
	LEND_KEPT,	/* the loop's own thread is running */
	LEND_FREE,	/* it sleeps */
	LEND_LENT,	/* it sleeps, and another thread has the loop */
	LEND_WANTED,	/* the same, but it is awake and waits for the other */
};

void loop_lend_init(struct loop *l)
{
	atomic_init(&l->lent, LEND_KEPT);
	sem_init(&l->returned, 0, 0);
}

void loop_lend_destroy(struct loop *l)
{
	sem_destroy(&l->returned);
}

void loop_lend(struct loop *l)
{
	atomic_store_explicit(&l->lent, LEND_FREE, memory_order_release);
}

void loop_take_back(struct loop *l)
{
	if (atomic_exchange_explicit(&l->lent, LEND_WANTED, memory_order_acq_rel) == LEND_LENT)
		while (sem_wait(&l->returned) && errno == EINTR)
			;
	atomic_store_explicit(&l->lent, LEND_KEPT, memory_order_relaxed);
}

/* What was posted or deferred before has to be done first. */
bool loop_borrow(struct loop *l)
{
	int is = LEND_FREE;

	if (!atomic_compare_exchange_strong_explicit(&l->lent, &is, LEND_LENT, memory_order_acquire, memory_order_relaxed))
		return false;
	if (!atomic_load_explicit(&l->inbox, memory_order_acquire) && list_empty(&l->work))
		return true;
	loop_return(l);
	return false;
}

void loop_return(struct loop *l)
{
	int is = LEND_LENT;

	if (!list_empty(&l->work))
		loop_wake(l);
	if (!atomic_compare_exchange_strong_explicit(&l->lent, &is, LEND_FREE, memory_order_release, memory_order_relaxed))
		sem_post(&l->returned);
}
