/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket. It is in one of four states; its messages are answered in order. For this directory
 * only.
 */
#ifndef FRONTS_CONTROL_CONN_H
#define FRONTS_CONTROL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/listener.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/own_socket.h"
#include "base/spare.h"
#include "base/trampoline.h"
#include "core/world.h"
#include "proto/dict.h"

struct control {
	struct dm_world *world;
	struct own_socket socket;
	struct listener listener;	/* the listening socket */
	struct list conns;		/* control_conn.node, in order of last use */
	unsigned others;		/* clients that are neither root nor the owner */
	uid_t owner;
	bool allow_read;
	bool stopped;
	struct spare spare;		/* descriptors kept for the owner and root when there are no others */
	struct log_rate turned_away, made_room;
	uint64_t handshake;		/* nanoseconds that a client may take to send a complete message; 0: no limit */
};

enum conn_state {
	CONN_READING,
	CONN_BUSY,	/* a command is running */
	CONN_WRITING,
	CONN_LEAVING,	/* the last reply was sent; input is discarded until the client closes */
};

struct control_conn {
	struct control *control;
	struct list node;
	struct loop_watch watch;	/* fd is -1 once the client has hung up during a command */
	enum conn_state state;
	uid_t uid;
	pid_t pid;			/* of the process that has connected */
	bool master;			/* root or the owner: may change things */
	bool last;			/* nothing is read after this reply */
	bool known;			/* it has sent a complete message */
	uint64_t came;			/* when it connected, on the world's clock, ns */
	struct timer patience;		/* until it sends a complete message, or the rest of one */

	/* Received and not handled yet: in[in_at] to in[in_end]. Other bytes there mean nothing. */
	char *in;
	size_t in_at, in_end, in_room;
	struct trampoline taking;	/* by conn_take(), which then sends the replies */
	struct loop_work work;		/* continues with messages that have been received already */

	struct dict dict;
	struct text out;		/* replies to be sent */
	bool excuse;			/* followed by one for which there was no memory: dict_no_memory() */
	size_t sent;
};

/* PEER has connected on FD, which is taken over. Without memory for the client, FD is closed. */
void control_conn_new(struct control *c, int fd, const struct ucred *peer);

/* Cancels the command that is running. */
void control_conn_cancel(struct control_conn *conn);

/* Closes and frees it. No command may be running. */
void control_conn_free(struct control_conn *conn);

/* in.c: what was received. */
enum conn_look { CONN_NOTHING, CONN_MESSAGE, CONN_NONSENSE };

/*
 * Is there a complete message (*LEN: its bytes), part of one, or (-errno and a sentence) something that cannot be
 * parsed?
 */
enum conn_look control_conn_look(const struct control_conn *conn, size_t *len, struct err *e);
/* True if there is a complete message, or something to be refused. */
bool control_conn_has_message(const struct control_conn *conn);
const char *control_conn_message(const struct control_conn *conn);	/* the first byte of the first message */
void control_conn_drop(struct control_conn *conn, size_t len);		/* it was handled */
/*
 * Makes room for at least one byte. Memory grows with what was received, not with the length that a message claims. 0,
 * or -ENOMEM and a sentence.
 */
int control_conn_make_room(struct control_conn *conn, struct err *e);
/* Has a message begun and not ended? Then E says so. */
bool control_conn_cut_off(const struct control_conn *conn, struct err *e);

/* conn.c: the client's time is up. CONN may be freed. */
void control_conn_tire(struct timer *t);

/* patience.c: CONN has handled what there was. Sets the time limit for what it waits for now. */
void control_patience(struct control_conn *conn);
void control_used(struct control_conn *conn);	/* it has sent a complete message */
/*
 * Closes the client that has been idle longest. SOON: no client can be closed yet, but those that have just connected
 * may be in a moment.
 */
enum listener_room control_make_room(struct control *c);

/* out.c: what is sent. The next bytes to send. */
const char *control_conn_next(const struct control_conn *conn, size_t *n);
/*
 * Appends the reply to those waiting: all of it, or without its warnings, or at least the reason why it is missing.
 * False: none of these.
 */
bool control_conn_gather(struct control_conn *conn);
/* Tells a client that there is no memory for it. The buffer of a new socket has room for that. */
void control_excuse(int fd);

/* May this client run CMD? 0, or -EPERM and a sentence. */
int control_may(const struct control_conn *conn, const struct dm_cmd *cmd, struct err *e);

/* May this client connect at all? 0, or -errno and a sentence. */
int control_may_enter(const struct control_conn *conn, struct err *e);

/* The longest message that is accepted from this client, in bytes. */
size_t control_frame_max(const struct control_conn *conn);

#endif
