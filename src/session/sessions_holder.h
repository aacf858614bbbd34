/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of a holder process (holder.h), whose socket is kept: the daemon that follows one that died goes on
 * with it (base/keep.h). Control thread.
 */
#ifndef SESSION_SESSIONS_HOLDER_H
#define SESSION_SESSIONS_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/loop.h"

struct sessions;

struct sessions_holder {
	struct list node;		/* for its owner */
	struct sessions *sessions;
	pid_t pid;
	int socket;			/* -1: closed */
	struct loop_watch end;		/* its pidfd, watched while it is ending; or fd -1 */
	bool watched;
	bool ours;			/* our child; else an earlier daemon's */
	char kept[40];			/* the name under which its socket is kept, or "" */
};

/* 0 or -errno. */
int sessions_holder_start(struct sessions_holder **out, struct sessions *s);

/* It is ready, in a user namespace of its own or not. */
void sessions_holder_keep(struct sessions_holder *h, bool user_ns);

/* The one that an earlier daemon has started, if it still runs; or NULL. */
struct sessions_holder *sessions_holder_resume(struct sessions *s, bool *user_ns);

/* It may have just ended, and its socket has not reported it yet. */
bool sessions_holder_is_dead(const struct sessions_holder *h);

/* Ends it; nobody waits for it yet. */
void sessions_holder_kill(struct sessions_holder *h);

/* Waits until it has ended, which it does; frees H. */
void sessions_holder_free(struct sessions_holder *h, struct loop *loop);

#endif
