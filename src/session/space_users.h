/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is in a session. */
#ifndef SESSION_SPACE_USERS_H
#define SESSION_SPACE_USERS_H

#include "base/text.h"

/* Adds a sentence a line on each program in the mount namespace MOUNT_NS (as readlink tells it). */
void space_users(const char *mount_ns, struct text *out);

#endif
