/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs in a session. */
#ifndef SESSION_SESSIONS_USERS_H
#define SESSION_SESSIONS_USERS_H

#include "base/text.h"

/* Adds one line with a sentence for each program in the mount namespace MOUNT_NS (as returned by readlink). */
void sessions_users(const char *mount_ns, struct text *out);

#endif
