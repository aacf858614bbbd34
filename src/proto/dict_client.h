/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side of the control socket (doc/protocol.md): one request, one reply, blocking. For our own command; on
 * any thread, but only one at a time for each socket.
 */
#ifndef PROTO_DICT_CLIENT_H
#define PROTO_DICT_CLIENT_H

#include <sys/types.h>

#include "base/err.h"
#include "proto/plist.h"

/*
 * A connected socket, or -errno and a sentence; -ENOENT and -ECONNREFUSED mean that there is no daemon, -EPERM that it
 * is neither this user's nor root's (nor OWNER's).
 */
int dict_connect(const char *path, struct err *e);
int dict_connect_owner(const char *path, uid_t owner, struct err *e);

/*
 * Sends REQUEST (which stays the caller's) and waits for the answer. 0: *REPLY is a dictionary; the caller calls
 * plist_free(). Whether the command succeeded is in its `errno`. -errno and a sentence: there is no answer, and FD
 * cannot be used any more; but with DICT_DONE the command was carried out, and there was no memory for the answer.
 */
#define DICT_DONE (-ENOBUFS)

int dict_call(int fd, plist_t request, plist_t *reply, struct err *e);

/* Did the command that REPLY answers succeed? 0, or minus its `errno` (converted to the host's) and its sentence. */
int dict_result(plist_t reply, struct err *e);

#endif
