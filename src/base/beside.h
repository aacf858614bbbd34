/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running on the same processor as a client that waits for us: the two take
 * turns, and none is woken from its rest on another processor, which costs more
 * than most requests. Who asks too seldom or is not alone gets no such company.
 */
#ifndef BASE_BESIDE_H
#define BASE_BESIDE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct beside {
	bool there, left;	/* bound to a processor; about to leave it */
	unsigned turns;		/* since it began to leave */
	uint64_t stretch;	/* the caller's: what it went there for */
	cpu_set_t home;		/* where this thread may run otherwise */
};

/* Binds the calling thread to processor CPU (-1: unknown); false if it cannot be. */
bool beside_go(struct beside *b, int cpu);
/* Back, if it was asked for several times in a row: a client that is alone most of the time is not left for one turn. */
void beside_leave(struct beside *b);

/* The processor that thread TID ran on last, or that one of process PID's threads that has run most; -1: unknown. */
int beside_thread(pid_t tid);
int beside_process(pid_t pid);

#endif
