/* SPDX-License-Identifier: BSD-2-Clause */
/* See standin.h. */
#include "base/standin.h"

#include <errno.h>
#include <time.h>

#define STANDIN_TICK 1000000	/* nanoseconds: a call that lasts for one or two of these is long */
#define STANDIN_TICKS 100	/* without a new call, after which the watcher sleeps */

void standin_init(struct standin *s)
{
	atomic_init(&s->call, 0);
	atomic_init(&s->ticking, false);
	atomic_init(&s->over, false);
	sem_init(&s->wanted, 0, 0);
}

void standin_destroy(struct standin *s)
{
	sem_destroy(&s->wanted);
}

unsigned standin_leave(struct standin *s)
{
	unsigned call = atomic_fetch_add(&s->call, 1) + 1;

	if (!atomic_load_explicit(&s->ticking, memory_order_seq_cst) && !atomic_exchange(&s->ticking, true))
		sem_post(&s->wanted);
	return call;
}

bool standin_return(struct standin *s, unsigned call)
{
	return atomic_compare_exchange_strong(&s->call, &call, call + 1);
}

/* Watches while there are calls: true, a call was long, and the job is this thread's. */
static bool standin_tick(struct standin *s)
{
	static const struct timespec tick = { .tv_nsec = STANDIN_TICK };
	unsigned last = 0, now, idle = 0;

	while (idle < STANDIN_TICKS && !atomic_load(&s->over)) {
		nanosleep(&tick, NULL);
		now = atomic_load(&s->call);
		if (now % 2 && now == last && atomic_compare_exchange_strong(&s->call, &now, now + 1))
			return true;
		idle = now == last ? idle + 1 : 0;
		last = now;
	}
	return false;
}

bool standin_watch(struct standin *s)
{
	bool taken = false;

	while (!taken && !atomic_load(&s->over)) {
		while (sem_wait(&s->wanted) && errno == EINTR)
			;
		taken = standin_tick(s);
		/* A call that begins after this posts again; one that began before is seen here. */
		atomic_store(&s->ticking, false);
		if (!taken && atomic_load(&s->call) % 2 && !atomic_exchange(&s->ticking, true))
			sem_post(&s->wanted);
	}
	return taken;
}

void standin_end(struct standin *s)
{
	atomic_store(&s->over, true);
	sem_post(&s->wanted);
}
