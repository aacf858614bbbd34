/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon: a world, its control socket and its NBD server, from the signal mask to the last flush. */
#ifndef CMD_SERVE_H
#define CMD_SERVE_H

#include <stdbool.h>

#include "base/aio.h"
#include "cmd/handover.h"
#include "cmd/replace.h"
#include "fronts/control/control.h"
#include "fronts/nbd/nbd.h"

#define SERVE_STOP_TIMEOUT 30		/* seconds */
#define SERVE_STOP_TIMEOUT_MAX 1000000
#define SERVE_OPEN_TIMEOUT_MAX 86400

struct serve_opts {
	struct control_opts control;
	struct nbd_opts nbd;
	bool nbd_wanted;
	unsigned io_threads;	/* 0: one per CPU */
	enum aio_engine engine;
	unsigned busy_poll;	/* microseconds; 0: never */
	const char *state;	/* the file in which the devices' state is kept, or NULL: it is not */
	bool durable;		/* on disk before a command is answered; it stays after an orderly end */
	const char *tables;	/* absolute path, or NULL */
	void (*ready)(void *arg);	/* called when it serves */
	void *arg;
	unsigned stop_timeout;	/* seconds for programs of sessions to finish at the end */
	unsigned open_timeout;	/* seconds that opening a file may take; 0: no limit */
	const char *options;	/* with which it was started, as words; "" if with none */
	const char *death;	/* how the daemon before this one has died, a sentence; NULL: there was none */
	struct handover *handed;	/* from an earlier program that this one replaces, or NULL */
	struct replace_opts replace;
	int life;		/* the daemon ends when this descriptor hangs up; -1: there is none */
};

/* Serves until SIGTERM, SIGINT or the command `shutdown`. 0, or 1 after a failure that was logged. */
int serve(const struct serve_opts *o);

#endif
