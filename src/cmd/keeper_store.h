/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keeper holds, and the socket over which the daemon tells it: the manager's side of sd_notify(3). */
#ifndef CMD_KEEPER_STORE_H
#define CMD_KEEPER_STORE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/hash.h"

struct keeper_store {
	int socket, theirs;	/* a pair: ours, and the end that each daemon inherits */
	struct hash kept;
	unsigned long room;
	bool ready, stopping;	/* the daemon has said so */
};

int keeper_store_open(struct keeper_store *s, struct err *e);
void keeper_store_free(struct keeper_store *s);

/* Reads all messages that wait. Only those of process DAEMON count. */
void keeper_store_hear(struct keeper_store *s, pid_t daemon);

/* In the daemon's process: what is held becomes the daemon's, and its messages go to S. 0, or -errno and a sentence. */
int keeper_store_pass(struct keeper_store *s, struct err *e);

#endif
