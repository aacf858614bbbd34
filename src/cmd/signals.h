/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals that end the daemon, SIGTERM and SIGINT, as events of its loop. Control thread. */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct signals {
	struct loop_watch watch;
	void (*end)(struct signals *s, int number);	/* called for each that counts */
	bool told[2];	/* one has come: directly, passed on by the keeper */
};

#define SIGNALS_NONE { .watch.fd = -1 }

/* Before any thread is created, so that all inherit the mask. END is set. 0, or -errno and a sentence. */
int signals_begin(struct signals *s, struct loop *l, struct err *e);
/* The program that takes this one's place gets NUMBER, which is blocked here; or it did not come, and NUMBER is not wanted again. */
void signals_leave(int number);
void signals_take_back(int number);
/* The loop does not run any more. */
void signals_end(struct signals *s);

#endif
