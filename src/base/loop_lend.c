/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lending a loop: to hand a small job to a thread that sleeps and be woken by its answer costs more than the job. So while
 * it sleeps, another thread may do the job in its place. One word says whose the loop is; its thread lends it for as long
 * as it sleeps, and takes it back when it wakes.
 */
#include <errno.h>

#include "base/loop_own.h"

enum {
	LEND_KEPT,	/* the loop's own thread is at work */
	LEND_FREE,	/* it sleeps */
	LEND_LENT,	/* it sleeps, and another has the loop */
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

/* What was posted or deferred before comes first. */
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
