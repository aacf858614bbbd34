/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting threads: see thread.h. */
#include "base/thread.h"

#include <signal.h>
#include <sys/prctl.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

int thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	if (stack)
		r = pthread_attr_setstacksize(&attr, stack);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!r)
		r = pthread_create(out, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (r)
		return -r;
	pthread_setname_np(*out, name);
	return 0;
}

void thread_serves_disks(void)
{
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
}
