/* SPDX-License-Identifier: BSD-2-Clause */
/* The other thread of the sample targets, and random numbers: see types.h. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/path/held.h"
#include "core/device/step.h"
#include "stack/types.h"

#define STEPS 256

static struct {
	pthread_t thread;
	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t more;
	struct dm_req *reqs;
	struct { struct dm_step *step; int err; } steps[STEPS];
	unsigned n_steps;
	bool stop;
} other = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static _Atomic uint64_t seed = 1;
static _Thread_local uint64_t random_state;
static const char *_Atomic wrong;

void types_seed(unsigned long long s)
{
	atomic_store(&seed, s * 2 + 1);
}

unsigned types_random(unsigned n)
{
	uint64_t x = random_state;

	if (!x)
		x = atomic_fetch_add(&seed, 2) * UINT64_C(0x9e3779b97f4a7c15);
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	random_state = x;
	return (unsigned)(x >> 33) % n;
}

void types_found(const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&wrong, &none, what);
}

const char *types_wrong(void)
{
	return atomic_load(&wrong);
}

void elsewhere_go_on(struct dm_req *r, int verdict)
{
	r->verdict = verdict;
	pthread_mutex_lock(&other.lock);
	r->next = other.reqs;
	other.reqs = r;
	pthread_cond_signal(&other.more);
	pthread_mutex_unlock(&other.lock);
}

void elsewhere_step(struct dm_step *s, int err)
{
	bool full;

	pthread_mutex_lock(&other.lock);
	full = other.n_steps == STEPS;
	if (!full) {
		other.steps[other.n_steps].step = s;
		other.steps[other.n_steps++].err = err;
	}
	pthread_cond_signal(&other.more);
	pthread_mutex_unlock(&other.lock);
	if (full)
		dm_step_done(s, err);
}

static void elsewhere_turn(void)
{
	struct dm_req *r = other.reqs, *next;
	unsigned n = other.n_steps, i;
	struct dm_step *steps[STEPS];
	int errs[STEPS];

	other.reqs = NULL;
	other.n_steps = 0;
	for (i = 0; i < n; i++) {
		steps[i] = other.steps[i].step;
		errs[i] = other.steps[i].err;
	}
	pthread_mutex_unlock(&other.lock);
	for (i = types_random(4); i; i--)
		sched_yield();
	for (; r; r = next) {
		next = r->next;
		dm_go_on(r, r->verdict);
	}
	for (i = 0; i < n; i++)
		dm_step_done(steps[i], errs[i]);
	pthread_mutex_lock(&other.lock);
}

static void *elsewhere_main(void *arg)
{
	pthread_mutex_lock(&other.lock);
	while (other.reqs || other.n_steps || !other.stop) {
		if (other.reqs || other.n_steps)
			elsewhere_turn();
		else
			pthread_cond_wait(&other.more, &other.lock);
	}
	pthread_mutex_unlock(&other.lock);
	return arg;
}

void elsewhere_begin(void)
{
	other.stop = false;
	if (pthread_create(&other.thread, NULL, elsewhere_main, NULL))
		types_found("no thread");
}

void elsewhere_end(void)
{
	pthread_mutex_lock(&other.lock);
	other.stop = true;
	pthread_cond_signal(&other.more);
	pthread_mutex_unlock(&other.lock);
	pthread_join(other.thread, NULL);
}
