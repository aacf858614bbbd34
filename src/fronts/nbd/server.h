/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server, for its own files. The control thread listens, looks up, opens and closes devices; what belongs to one io
 * thread is in struct nbd_io.
 */
#ifndef FRONTS_NBD_SERVER_H
#define FRONTS_NBD_SERVER_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "base/faster.h"
#include "base/listener.h"
#include "base/log.h"
#include "base/own_socket.h"
#include "base/pool.h"
#include "core/world.h"
#include "fronts/nbd/conn.h"
#include "fronts/nbd/nbd.h"

#define NBD_LISTENERS 8
#define NBD_IOVS 512		/* of one sendmsg */

struct nbd_tls;

/* One io thread's share. */
struct nbd_io {
	struct nbd *nbd;
	struct dm_io *io;
	unsigned load;			/* connections; control thread */
	struct list conns;		/* nbd_conn.node; from here on the io thread's */
	struct pool pool;		/* of struct nbd_req and their data */
	struct list starved;		/* nbd_conn.starved: those waiting for memory (pressure.c) */
	struct timer pressure;		/* how long they have waited */
	atomic_bool feeding, culling;	/* whether the messages are on their way */
	struct loop_msg fed, cull;
	struct faster shown;		/* are long reads copied (FASTER_FIRST) or shown (FASTER_SECOND)? (shown.c) */
	struct log_rate late;		/* clients that did not finish the handshake in time */
	bool stopping;
	struct timer patience;		/* how long peers that do not read may delay the stop */
	struct loop_msg stop, stopped;
	struct {
		struct loop_msg ask, answer, end_tls;
		struct text saved;	/* its connections */
		int err;
		bool stands;		/* nothing is received or sent any more */
	} handover;
	struct iovec iov[NBD_IOVS];	/* scratch memory for one send */
};

struct nbd_listener {
	struct listener listener;
	struct nbd *nbd;
	bool tcp;
};

struct nbd {
	struct dm_world *world;
	struct dm_front front;
	struct nbd_tls *tls;		/* NULL: not requested */
	bool allow_others;
	unsigned most;			/* connections at most */
	uint64_t handshake;		/* nanoseconds; 0: no limit */
	struct pool_memory memory;

	struct list users;		/* nbd_conn.user: connections that have a device open */
	struct nbd_listener listeners[NBD_LISTENERS];
	unsigned n_listeners;
	char *unix_path;		/* of the Unix socket; NULL: none */
	struct own_socket socket;	/* if it was created here; its descriptor is a listener's */
	char *tcp_at;			/* "HOST:PORT" for URIs; NULL: none */
	struct spare spare;		/* closed for a moment to turn a client away when descriptors run out */
	struct log_rate turned_away;

	struct nbd_io *ios;		/* world->n_io */
	unsigned n_running;		/* io threads that have not stopped yet */
	void (*then)(void *arg);
	void *then_arg;
	struct {
		unsigned n_running;	/* io threads that have not saved their connections yet */
		void (*then)(void *arg);
		void *arg;
	} handover;
};

/* listen.c */
int nbd_listen_unix(struct nbd *n, const struct nbd_opts *o, struct err *e);
/* Takes FD over, also on failure. */
int nbd_listen_add(struct nbd *n, int fd, bool tcp, const char *where, struct err *e);
void nbd_listen_stop(struct nbd *n);

/* tcp.c */
int nbd_listen_tcp(struct nbd *n, const struct nbd_opts *o, struct err *e);
/* The listener with this index is not kept for a later daemon any longer. */
void nbd_tcp_drop(unsigned i);

/* nbd.c: passes a new socket to an io thread, which owns it from then on. Control thread. */
void nbd_adopt(struct nbd *n, int fd, bool tcp);
/* The same in two steps: chooses the thread, which gets the connection with nbd_conn_go(). NULL: no memory, FD is closed. */
struct nbd_conn *nbd_adopt_conn(struct nbd *n, int fd, bool tcp);
void nbd_conn_go(struct nbd_conn *c);
unsigned nbd_connections(const struct nbd *n);

void nbd_io_left(struct nbd_io *nio);	/* a connection was removed from its list; io thread */

/* pressure.c */
void nbd_pressure_init(struct nbd_io *nio);
void nbd_pressure_feed(struct nbd *n);	/* somebody waits for memory, and there is or may be some; any io thread */

/* users.c */
void nbd_users_meet(struct nbd_conn *c);	/* it was just created */
void nbd_users_enter(struct nbd_conn *c, const struct dm_device *d);	/* it has opened D */
void nbd_users(struct dm_front *f, struct text *out);

/* export.c: carries out C's ask on the control thread, and sends the answer to C's io thread. */
void nbd_export_answer(struct loop_msg *msg);

#endif
