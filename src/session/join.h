/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering a session: see holder.h. For a process with one thread. */
#ifndef SESSION_JOIN_H
#define SESSION_JOIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* What is needed to enter; taken first, so that a reused process number does no harm. */
struct join {
	int pidfd;
	bool user_ns;
	char mount_ns[64];
};

/* Finds the session that the daemon's answer names. 0, or -errno and a sentence. */
int join_find(struct join *j, pid_t holder, const char *mount_ns, bool user_ns, struct err *e);
void join_free(struct join *j);

/* Are we in this session already? */
bool join_is_here(const struct join *j);

/* Are we in any session, perhaps of another daemon? */
bool join_is_anywhere(void);

/* Enters it, as root there, in the directory CWD. 0, or -errno and a sentence. */
int join_enter(const struct join *j, const char *cwd, struct err *e);

#endif
