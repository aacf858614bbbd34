/* SPDX-License-Identifier: BSD-2-Clause */
/* Going into a session: see holder.h. For a process with one thread. */
#ifndef SESSION_JOIN_H
#define SESSION_JOIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* What is necessary to join; taken before anything else, so that a process number cannot come to mean another. */
struct join {
	int pidfd;
	bool user_ns;
	char mount_ns[64];
};

/* The session that the daemon's answer speaks of. 0, or -errno and a sentence. */
int join_find(struct join *j, pid_t holder, const char *mount_ns, bool user_ns, struct err *e);
void join_free(struct join *j);

/* Are we in it already? */
bool join_is_here(const struct join *j);

/* Are we in any session, perhaps another daemon's? */
bool join_is_anywhere(void);

/* Into it, as root there, in the directory CWD. 0, or -errno and a sentence. */
int join_enter(const struct join *j, const char *cwd, struct err *e);

#endif
