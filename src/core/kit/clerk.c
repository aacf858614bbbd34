/* SPDX-License-Identifier: BSD-2-Clause */
/* Clerks: see clerk.h. */
#include "core/kit/clerk.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "core/path/child.h"
#include "core/world.h"

#define CLERK_STACK (256u << 10)

struct clerk {
	void *owner;			/* first: clerk_owner() */
	struct dm_io *io;		/* that does its I/O */
	pthread_t thread;
	/* The request that a job waits for: one at a time. */
	struct dm_req req;
	struct loop_msg msg;
	struct dm_at at;
	int err;
	sem_t answered;			/* not a condition, under whose lock the clerk would sleep once more */

	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t more;
	struct clerk_job *first, **last;
	bool busy;			/* a job runs */
	bool lent;			/* somebody has its place: none begins */
	bool stop;
};

/* The next job, or NULL: there is none any more. */
static struct clerk_job *clerk_take(struct clerk *c)
{
	struct clerk_job *j;

	pthread_mutex_lock(&c->lock);
	c->busy = false;
	while (c->lent || (!c->first && !c->stop))
		pthread_cond_wait(&c->more, &c->lock);
	j = c->first;
	c->busy = j;
	if (j)
		c->first = j->next;
	if (!c->first)
		c->last = &c->first;
	pthread_mutex_unlock(&c->lock);
	return j;
}

static void *clerk_main(void *arg)
{
	struct clerk *c = arg;
	struct clerk_job *j;

	thread_serves_disks();
	while ((j = clerk_take(c)))
		j->run(c, j);
	return NULL;
}

void clerk_post(struct clerk *c, struct clerk_job *j)
{
	j->next = NULL;
	pthread_mutex_lock(&c->lock);
	*c->last = j;
	c->last = &j->next;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

bool clerk_borrow(struct clerk *c)
{
	bool idle;

	pthread_mutex_lock(&c->lock);
	idle = !c->busy && !c->lent && !c->first;
	c->lent |= idle;
	pthread_mutex_unlock(&c->lock);
	return idle;
}

void clerk_lend(struct clerk *c)
{
	pthread_mutex_lock(&c->lock);
	c->lent = true;
	pthread_mutex_unlock(&c->lock);
}

void clerk_return(struct clerk *c)
{
	pthread_mutex_lock(&c->lock);
	c->lent = false;
	if (c->first || c->stop)
		pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

/* The last that the io thread does: the clerk goes on, and may be gone. */
static void clerk_answered(struct dm_req *r, int err)
{
	struct clerk *c = container(r, struct clerk, req);

	c->err = err;
	sem_post(&c->answered);
}

static void clerk_send(struct loop_msg *m)
{
	struct clerk *c = container(m, struct clerk, msg);

	dm_io_tick(c->io);
	dm_send(c->io, &c->at, &c->req);
}

/* The request is made: 0 or -errno when it has ended. */
static int clerk_wait(struct clerk *c, const struct dm_at *at)
{
	c->at = *at;
	c->req.done = clerk_answered;
	c->msg.run = clerk_send;
	loop_post(c->io->loop, &c->msg);
	while (sem_wait(&c->answered) && errno == EINTR)
		;
	return c->err;
}

static int clerk_transfer(struct clerk *c, const struct dm_at *at, struct dm_req what, void *data)
{
	c->req = what;
	dm_req_buffer(&c->req, data, what.count << DM_SECTOR_SHIFT);
	return clerk_wait(c, at);
}

int clerk_read(struct clerk *c, const struct dm_at *at, uint64_t sector, uint64_t count, void *data)
{
	return clerk_transfer(c, at, (struct dm_req){ .op = DM_READ, .sector = sector, .count = count }, data);
}

int clerk_write(struct clerk *c, const struct dm_at *at, uint64_t sector, uint64_t count, const void *data, uint32_t flags)
{
	return clerk_transfer(c, at, (struct dm_req){ .op = DM_WRITE, .flags = flags, .sector = sector, .count = count },
			      (void *)(uintptr_t)data);
}

int clerk_flush(struct clerk *c, const struct dm_at *at)
{
	c->req = (struct dm_req){ .op = DM_FLUSH };
	return clerk_wait(c, at);
}

static struct clerk *clerk_alloc(struct dm_world *w, void *owner)
{
	struct clerk *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->owner = owner;
	c->io = &w->io[w->n_clerks++ % w->n_io];
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	sem_init(&c->answered, 0, 0);
	return c;
}

static void clerk_destroy(struct clerk *c)
{
	sem_destroy(&c->answered);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int clerk_new(struct clerk **out, struct dm_world *w, void *owner, struct err *e)
{
	struct clerk *c = clerk_alloc(w, owner);
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for a thread that keeps the metadata");
	r = thread_start(&c->thread, "dmuse-clerk", CLERK_STACK, clerk_main, c);
	if (r) {
		clerk_destroy(c);
		return err_set(e, r, "cannot start a thread that keeps the metadata: %s; the limits are those of ulimit -u and of "
			       "the container or service (pids.max)", strerror(-r));
	}
	*out = c;
	return 0;
}

void clerk_free(struct clerk *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	clerk_destroy(c);
}
