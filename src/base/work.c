/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers: see work.h. There is one queue for each class, under one lock. Adding jobs wakes one idle worker; a worker
 * that takes a job and leaves others wakes the next.
 */
#include "base/work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct workers {
	unsigned n;			/* threads */
	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t more;
	unsigned idle;			/* threads that wait */
	struct work_line lines[WORK_CLASSES];
	bool stop;
	pthread_t threads[];
};

static void line_init(struct work_line *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void line_add(struct work_line *l, struct loop_msg *m)
{
	m->next = NULL;
	*l->last = m;
	l->last = &m->next;
}

static void line_move(struct work_line *to, struct work_line *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	line_init(from);
}

static struct work *line_take(struct work_line *l)
{
	struct loop_msg *m = l->first;

	if (!m)
		return NULL;
	l->first = m->next;
	if (!l->first)
		l->last = &l->first;
	return container(m, struct work, msg);
}

static bool workers_have(const struct workers *w)
{
	return w->lines[WORK_WAITED].first || w->lines[WORK_BACKGROUND].first;
}

/* The next job, or NULL: the thread has to end. */
static struct work *workers_take(struct workers *w)
{
	struct work *job;

	pthread_mutex_lock(&w->lock);
	w->idle++;
	while (!workers_have(w) && !w->stop)
		pthread_cond_wait(&w->more, &w->lock);
	w->idle--;
	job = line_take(&w->lines[WORK_WAITED]);
	if (!job)
		job = line_take(&w->lines[WORK_BACKGROUND]);
	if (w->idle && workers_have(w))
		pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void work_back(struct loop_msg *m)
{
	struct work *job = container(m, struct work, msg);

	job->done(job);
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;
	struct work *job;

	thread_serves_disks();
	while ((job = workers_take(w))) {
		job->run(job);
		job->msg.run = work_back;
		loop_post(job->home, &job->msg);
	}
	return NULL;
}

int workers_new(struct workers **out, unsigned n, struct err *e)
{
	struct workers *w = calloc(1, sizeof(*w) + n * sizeof(w->threads[0]));
	char name[16];
	int r;

	if (!w)
		return err_set(e, -ENOMEM, "no memory for %u threads that compute", n);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	line_init(&w->lines[WORK_WAITED]);
	line_init(&w->lines[WORK_BACKGROUND]);
	while (w->n < n) {
		snprintf(name, sizeof(name), "dmuse-work%hu", (unsigned short)w->n);
		r = thread_start(&w->threads[w->n], name, 0, worker_main, w);
		if (r) {
			err_set(e, r, "cannot start thread %u of %u that compute: %s", w->n + 1, n, strerror(-r));
			workers_free(w);
			return r;
		}
		w->n++;
	}
	*out = w;
	return 0;
}

void workers_free(struct workers *w)
{
	unsigned i;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->n; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* At the end of a turn. */
static void feed_pass(struct loop_work *end)
{
	struct work_feed *f = container(end, struct work_feed, end);
	struct workers *w = f->workers;

	pthread_mutex_lock(&w->lock);
	line_move(&w->lines[WORK_WAITED], &f->lines[WORK_WAITED]);
	line_move(&w->lines[WORK_BACKGROUND], &f->lines[WORK_BACKGROUND]);
	if (w->idle)
		pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

void work_feed_init(struct work_feed *f, struct workers *w, struct loop *l)
{
	f->workers = w;
	f->loop = l;
	line_init(&f->lines[WORK_WAITED]);
	line_init(&f->lines[WORK_BACKGROUND]);
	list_init(&f->end.node);
	f->end.run = feed_pass;
}

void work_start(struct work_feed *f, struct work *w, enum work_class class)
{
	w->home = f->loop;
	line_add(&f->lines[class], &w->msg);
	loop_defer(f->loop, &f->end);
}
