/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts threads. Signals are for the control thread, so they are blocked on all others. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* NAME: at most 15 bytes. STACK: bytes, 0: the default. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);

/*
 * Disks depend on the calling thread: the kernel may be writing back a file system on one of them to free memory, so it
 * must never make this thread wait for such memory (PR_SET_IO_FLUSHER). Without CAP_SYS_RESOURCE nothing happens.
 */
void thread_serves_disks(void);

#endif
