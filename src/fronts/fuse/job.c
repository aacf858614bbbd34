/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs: each has a thread of its own, because they are rare. The kernel may answer a job only after it has had an
 * answer from the control thread, or from a suspended device; so no other thread waits for one without a time limit.
 */
#include <errno.h>
#include <signal.h>

#include "fronts/fuse/server.h"

static void job_over(struct loop_msg *msg)
{
	struct fuse_job *j = container(msg, struct fuse_job, msg);
	struct fuse_front *f = j->front;

	pthread_join(j->thread, NULL);
	sem_destroy(&j->finished);
	f->n_jobs--;
	j->done(j);
	fuse_front_check_stopped(f);
}

static void *job_main(void *arg)
{
	struct fuse_job *j = arg;

	j->run(j);
	sem_post(&j->finished);
	loop_post(j->front->world->loop, &j->msg);
	return NULL;
}

int fuse_job_start(struct fuse_job *j, struct fuse_front *f)
{
	sigset_t all, old;
	int r;

	j->front = f;
	j->msg.run = job_over;
	sem_init(&j->finished, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&j->thread, NULL, job_main, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		sem_destroy(&j->finished);
		return -r;
	}
	f->n_jobs++;
	return 0;
}

void fuse_job_wait(struct fuse_job *j, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (sem_clockwait(&j->finished, CLOCK_MONOTONIC, &until) && errno == EINTR)
		;
}
