/* SPDX-License-Identifier: BSD-2-Clause */
/* A command that takes its time, while a test does something else. */
#ifndef TESTS_SUPPORT_PENDING_H
#define TESTS_SUPPORT_PENDING_H

#include "support/world.h"

struct pending {
	struct dm_cmd c;
	bool over;
};

/* C, whose `done` is set here, begins. */
void pending_start(struct fixture *f, struct pending *p, struct dm_cmd c);

/* Turns the loop until it is over: its errno. The sentence stays in p->c.reply.err, the rest of the reply is freed. */
int pending_wait(struct fixture *f, struct pending *p);

#endif
