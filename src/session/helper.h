/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's helpers, the holder and the ender: this same program once more, with a word that says which. */
#ifndef SESSION_HELPER_H
#define SESSION_HELPER_H

#include <sys/types.h>

/* SOCKET becomes its descriptor HOLDER_FD. 0 or -errno. */
int helper_spawn(const char *word, int socket, pid_t *pid);

#endif
