/* SPDX-License-Identifier: BSD-2-Clause */
/* What client.c, which finds the daemon, and client_ask.c, which sends it requests, share. */
#ifndef CMD_CLIENT_OWN_H
#define CMD_CLIENT_OWN_H

#include "cmd/client.h"
#include "cmd/local.h"
#include "cmd/paths.h"

struct client {
	int fd;			/* connected to the daemon, or -1: */
	struct local *local;
	struct err absent;	/* then this is the reason */
	char path[PATHS_MAX];
	uid_t owner;		/* whose daemon it may be, apart from our own and root's */
};

/* Gives J a client, unless it has one. 0, or -errno and a sentence. See client_open(). */
int client_ready(struct job *j, bool start, struct err *e);

#endif
