/* SPDX-License-Identifier: BSD-2-Clause */
/* How this program starts its threads. Signals are the control thread's, so they are blocked on all others. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* NAME: 15 bytes at most. STACK: bytes, 0: as many as usual. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);

/*
 * The calling thread is one that disks depend on: the kernel may be writing a file system on one of them back to get memory,
 * so it never makes this thread wait for such memory (PR_SET_IO_FLUSHER). Without CAP_SYS_RESOURCE nothing happens.
 */
void thread_serves_disks(void);

#endif
