/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits for the disk on a thread of its own. Whoever asks while a round is under way is served by the next one, so that
 * one fdatasync(2) does for many. A new log becomes the current one here: first the disk has it, then the slot.
 *
 * After a failed fdatasync(2) the kernel may take for written what is not, so a second one would prove nothing. All
 * rounds fail then, until everything has been written anew elsewhere in the file, as a new log.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/journal_own.h"
#include "base/thread.h"

/* What a round does, taken from what is shared. */
struct journal_round {
	struct journal_wait *waits;
	uint64_t number;
	bool begin;
	struct journal_slot slot;
	unsigned which;
	int code;
	bool lost;
};

static int round_sync(struct journal *j)
{
	return fdatasync(j->fd) ? -errno : 0;
}

/* The new log becomes the current one. *LOST: it failed, and it is not known which one is. */
static int round_switch(struct journal *j, const struct journal_round *r, bool *lost)
{
	int code = journal_slot_write(j->fd, r->which, &r->slot);

	if (!code)
		code = round_sync(j);
	if (!code)
		return journal_slot_write(j->fd, !r->which, NULL);
	*lost = journal_slot_write(j->fd, r->which, NULL) || round_sync(j);
	return code;
}

static void round_take(struct journal_syncer *s, struct journal_round *r)
{
	*r = (struct journal_round){
		.waits = s->first, .number = s->number, .begin = s->begin, .slot = s->slot, .which = s->which,
		.code = s->anew ? s->code : 0,
	};
	s->first = NULL;
	s->last = &s->first;
	s->asked = false;
	s->busy = true;
}

static void round_end(struct journal_syncer *s, const struct journal_round *r)
{
	s->busy = false;
	s->lost |= r->lost;
	if (r->code) {
		s->code = r->code;
		s->anew = true;
	} else {
		s->code = 0;
		s->safe = r->number;
		if (r->begin && s->slot.log == r->slot.log)
			s->begin = false;
	}
	pthread_cond_broadcast(&s->idle);
}

static void round_answer(struct journal *j, const struct journal_round *r)
{
	struct journal_wait *w, *next;

	for (w = r->waits; w; w = next) {
		next = w->next;
		w->code = r->code;
		loop_post(j->loop, &w->msg);
	}
}

/* Called and left with the lock. */
static void round_run(struct journal *j)
{
	struct journal_round r;

	round_take(&j->sync, &r);
	pthread_mutex_unlock(&j->sync.lock);
	if (!r.code)
		r.code = round_sync(j);
	if (!r.code && r.begin)
		r.code = round_switch(j, &r, &r.lost);
	pthread_mutex_lock(&j->sync.lock);
	round_end(&j->sync, &r);
	pthread_mutex_unlock(&j->sync.lock);
	round_answer(j, &r);
	pthread_mutex_lock(&j->sync.lock);
}

static void *journal_sync_run(void *arg)
{
	struct journal *j = arg;
	struct journal_syncer *s = &j->sync;

	pthread_mutex_lock(&s->lock);
	while (s->asked || !s->stop) {
		if (s->asked)
			round_run(j);
		else
			pthread_cond_wait(&s->wake, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int journal_sync_start(struct journal *j, struct err *e)
{
	struct journal_syncer *s = &j->sync;
	int r;

	s->last = &s->first;
	s->safe = j->safe;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	pthread_cond_init(&s->idle, NULL);
	r = thread_start(&s->thread, "journal", JOURNAL_STACK, journal_sync_run, j);
	if (r)
		return err_set(e, r, "cannot start the thread that waits for the disk of %s: %s", j->path, strerror(-r));
	s->started = true;
	return 0;
}

/* With the lock: there is something to do. */
static void journal_sync_ask(struct journal *j)
{
	j->sync.number = j->number;
	j->sync.asked = true;
	pthread_cond_signal(&j->sync.wake);
}

/* With a last round. */
void journal_sync_stop(struct journal *j)
{
	if (!j->sync.started)
		return;
	pthread_mutex_lock(&j->sync.lock);
	j->sync.stop = true;
	journal_sync_ask(j);
	pthread_mutex_unlock(&j->sync.lock);
	pthread_join(j->sync.thread, NULL);
	pthread_mutex_destroy(&j->sync.lock);
	pthread_cond_destroy(&j->sync.wake);
	pthread_cond_destroy(&j->sync.idle);
	j->sync.started = false;
}

void journal_sync_log(struct journal *j)
{
	struct journal_syncer *s = &j->sync;

	pthread_mutex_lock(&s->lock);
	s->begin = true;
	s->anew = false;
	s->slot = j->slot;
	s->which = j->which;
	journal_sync_ask(j);
	pthread_mutex_unlock(&s->lock);
}

void journal_sync_look(struct journal *j, bool wait)
{
	struct journal_syncer *s = &j->sync;
	bool current;

	pthread_mutex_lock(&s->lock);
	while (wait && (s->busy || s->asked))
		pthread_cond_wait(&s->idle, &s->lock);
	current = !s->begin;
	j->safe = s->safe;
	j->lost = s->lost;
	j->failed = s->code;
	j->anew = s->anew;
	pthread_mutex_unlock(&s->lock);
	if (current && j->old_start)
		journal_free_old(j);
}

bool journal_sync(struct journal *j, struct journal_wait *w)
{
	struct err e;

	if (!j->durable)
		return false;
	journal_sync_look(j, false);
	if (j->anew && journal_begin_log(j, &e)) {
		w->code = j->failed;
		loop_post(j->loop, &w->msg);
		return true;
	}
	w->next = NULL;
	pthread_mutex_lock(&j->sync.lock);
	*j->sync.last = w;
	j->sync.last = &w->next;
	journal_sync_ask(j);
	pthread_mutex_unlock(&j->sync.lock);
	return true;
}

int journal_failed(struct journal *j, struct err *e)
{
	if (!j->durable)
		return 0;
	journal_sync_look(j, false);
	return j->failed ? err_set(e, j->failed, "the change may be lost if the power fails: the disk of %s failed: %s",
				   j->path, strerror(-j->failed)) : 0;
}
