/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side of the control socket (doc/protocol.md): one request, one
 * reply, blocking. For the command of our own; any thread, one at a time a socket.
 */
#ifndef PROTO_DICT_CLIENT_H
#define PROTO_DICT_CLIENT_H

#include <sys/types.h>

#include "base/err.h"
#include "proto/plist.h"

/*
 * A connected socket, or -errno and a sentence; -ENOENT and -ECONNREFUSED say that no daemon is there, -EPERM that it is
 * neither this user's nor root's (nor OWNER's).
 */
int dict_connect(const char *path, struct err *e);
int dict_connect_owner(const char *path, uid_t owner, struct err *e);

/*
 * Sends REQUEST (the caller's) and waits for the answer. 0: *REPLY is a dictionary for the caller to plist_free();
 * whether the command worked is in its `errno`. -errno and a sentence: there is no answer, and FD is of no more use; but
 * with DICT_DONE the command has been carried out, and there was no memory for the answer.
 */
#define DICT_DONE (-ENOBUFS)

int dict_call(int fd, plist_t request, plist_t *reply, struct err *e);

/* Whether the command that REPLY answers worked: 0, or minus its `errno` (as the number is here) and its sentence. */
int dict_result(plist_t reply, struct err *e);

#endif
