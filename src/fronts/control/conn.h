/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket. It is in one of four states; a message is
 * read only when the reply to the one before has left. Inside this folder only.
 */
#ifndef FRONTS_CONTROL_CONN_H
#define FRONTS_CONTROL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/loop.h"
#include "core/world.h"
#include "fronts/control/socket.h"
#include "proto/dict.h"

struct control {
	struct dm_world *world;
	struct control_socket socket;
	struct loop_watch watch;	/* of the listening socket */
	struct list conns;		/* control_conn.node */
	unsigned others;		/* clients that are neither root nor the owner */
	uid_t owner;
	bool allow_read;
	bool stopped;
	int spare;			/* a descriptor to give up when there are no more, so that a client can be told */
};

#define CONN_HEAD 4	/* bytes of a message's length */

enum conn_state {
	CONN_READING,
	CONN_BUSY,	/* the command is under way */
	CONN_WRITING,
	CONN_LEAVING,	/* the last reply has left; what comes is thrown away until the client closes */
};

struct control_conn {
	struct control *control;
	struct list node;
	struct loop_watch watch;	/* fd is -1 once the client has hung up on a command */
	enum conn_state state;
	uid_t uid;
	bool master;			/* root or the owner: may change things */
	bool last;			/* nothing is read after this reply */

	unsigned char head[CONN_HEAD];
	char *frame;
	size_t got;			/* bytes of head and frame */
	size_t len, room;		/* of frame: what the head says, and what there is memory for */

	struct dict dict;
	char *out;
	size_t out_len, sent;
};

/* A client has come on FD, which is taken over. Without memory for it, FD is closed. */
void control_conn_new(struct control *c, int fd, uid_t uid);

/* Gives up the command that is under way. */
void control_conn_cancel(struct control_conn *conn);

/* Closes and frees it; no command may be under way. */
void control_conn_free(struct control_conn *conn);

/* May this client run CMD? 0, or -EPERM and a sentence. */
int control_may(const struct control_conn *conn, const struct dm_cmd *cmd, struct err *e);

/* May this client be here at all? 0, or -errno and a sentence. */
int control_may_enter(const struct control_conn *conn, struct err *e);

/* The longest message that is read from this client, in bytes. */
size_t control_frame_max(const struct control_conn *conn);

#endif
