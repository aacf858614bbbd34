/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: the daemon's parent, where no service manager does its work. It holds the descriptors that are to outlive
 * the daemon (base/keep.h), starts the daemon again when it dies, and passes signals and the exit code on. It knows
 * nothing of devices. What happens to it happens to few: it opens nothing, and its memory is a few pages.
 */
#ifndef CMD_KEEPER_H
#define CMD_KEEPER_H

#include <stdbool.h>

#include "cmd/options.h"

struct keeper_opts {
	/* The daemon, in a child process. DEATH: a sentence, how the one before it has died; NULL for the first. */
	int (*serve)(void *arg, const char *death);
	void (*ready)(void *arg);	/* in the keeper: the first daemon serves */
	void (*give_up)(void *arg);	/* in the keeper: no daemon follows one that was killed; removes its files */
	void *arg;
	unsigned patience;		/* seconds that a daemon may take to serve when it is started again; 0: no limit */
	bool attached;			/* the daemon dies when the keeper is killed */
};

#define KEEPER_PATIENCE 30	/* seconds, unless somebody says otherwise */
#define KEEPER_PATIENCE_MAX 86400

/*
 * The patience of a daemon's keeper, in seconds: --restart-timeout, else $DMUSE_RESTART. *OUT is 0 if there is to be none: that is
 * what was said, the daemon keeps no state (--ephemeral), or a service manager keeps descriptors, which starts the daemon again,
 * too. 0, or -EINVAL and a sentence.
 */
int keeper_wanted(const struct options *o, unsigned *out, struct err *e);

/* Returns twice: the exit code of serve() in each daemon, and in the keeper its own, after all of them. */
int keeper_run(const struct keeper_opts *o);

#endif
