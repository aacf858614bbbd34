/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket. It is in one of four states; its messages
 * are answered one after the other. Inside this directory only.
 */
#ifndef FRONTS_CONTROL_CONN_H
#define FRONTS_CONTROL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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
	struct listener listener;	/* on it */
	struct list conns;		/* control_conn.node, the one that was used last at the end */
	unsigned others;		/* clients that are neither root nor the owner */
	uid_t owner;
	bool allow_read;
	bool stopped;
	struct spare spare;		/* descriptors for the owner and root when there are no more */
	struct log_rate turned_away, made_room;
	uint64_t handshake;		/* nanoseconds that a client may take to send a whole message; 0: forever */
};

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
	bool known;			/* it has sent a whole message once */
	uint64_t came;			/* on the world's clock, ns */
	struct timer patience;		/* until it sends one, or the rest of one */

	/* What has come and is not taken: in[in_at] to in[in_end]. Other bytes there mean nothing. */
	char *in;
	size_t in_at, in_end, in_room;
	struct trampoline taking;	/* by conn_take(), which sends the replies */
	struct loop_work work;		/* goes on with messages that have come already */

	struct dict dict;
	struct text out;		/* replies that are to leave */
	bool excuse;			/* and behind them one that there was no memory for: dict_no_memory() */
	size_t sent;
};

/* A client has come on FD, which is taken over. Without memory for it, FD is closed. */
void control_conn_new(struct control *c, int fd, uid_t uid);

/* Gives up the command that is under way. */
void control_conn_cancel(struct control_conn *conn);

/* Closes and frees it; no command may be under way. */
void control_conn_free(struct control_conn *conn);

/* in.c: what has come. */
enum conn_look { CONN_NOTHING, CONN_MESSAGE, CONN_NONSENSE };

/* Is there a whole message (*LEN: its bytes), a part of one, or (-errno and a sentence) none that can be read? */
enum conn_look control_conn_look(const struct control_conn *conn, size_t *len, struct err *e);
/* Something that can be taken: a message, or nonsense that is to be refused. */
bool control_conn_has_message(const struct control_conn *conn);
const char *control_conn_message(const struct control_conn *conn);	/* the first byte of the first one */
void control_conn_drop(struct control_conn *conn, size_t len);		/* it is done with */
/* Room for at least a byte. Memory grows with what has come, not with what a head claims. 0, or -ENOMEM and a sentence. */
int control_conn_make_room(struct control_conn *conn, struct err *e);
/* Has a message only begun? Then E says so. */
bool control_conn_cut_off(const struct control_conn *conn, struct err *e);

/* conn.c: the client did not go on in time. CONN may be gone afterwards. */
void control_conn_tire(struct timer *t);

/* patience.c: CONN has taken what there was, and what is awaited now? */
void control_patience(struct control_conn *conn);
void control_used(struct control_conn *conn);	/* it has sent a whole message */
/* Closes the client that has been quiet the longest; SOON: those that have only just come may be in a moment. */
enum listener_room control_make_room(struct control *c);

/* out.c: what leaves. The bytes that are to leave next. */
const char *control_conn_next(const struct control_conn *conn, size_t *n);
/* Puts the reply behind those that wait: all of it, or without warnings, or at least why it is not there. False: none. */
bool control_conn_gather(struct control_conn *conn);
/* A client that there is no memory for is told so; a fresh socket has room for that. */
void control_excuse(int fd);

/* May this client run CMD? 0, or -EPERM and a sentence. */
int control_may(const struct control_conn *conn, const struct dm_cmd *cmd, struct err *e);

/* May this client be here at all? 0, or -errno and a sentence. */
int control_may_enter(const struct control_conn *conn, struct err *e);

/* The longest message that is read from this client, in bytes. */
size_t control_frame_max(const struct control_conn *conn);

#endif
