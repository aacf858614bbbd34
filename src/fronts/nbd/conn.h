/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection and its requests. A connection is created on the control thread, lives on one io thread, and ends on the
 * control thread, where its device is closed. What it receives goes through step functions, one for each phase; what it
 * sends is a queue that is sent once a turn.
 */
#ifndef FRONTS_NBD_CONN_H
#define FRONTS_NBD_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/timers.h"
#include "base/trampoline.h"
#include "core/device/device.h"
#include "core/path/req.h"
#include "fronts/nbd/wire.h"

struct nbd_conn;
struct nbd_early;
struct nbd_io;
struct nbd_tls_conn;

#define NBD_RX 131072u			/* bytes: longer than the longest option */
#define NBD_MAX_REQS 256u		/* in flight on one connection */
#define NBD_MAX_BYTES (64u << 20)	/* their data */
#define NBD_PEER 64			/* bytes of an address as text */
#define NBD_ASKS 256u			/* extents that one BLOCK_STATUS may ask for */
#define NBD_EXTENTS_SIZE (NBD_EXTENTS_HEAD + NBD_EXTENT_SIZE * NBD_ASKS)

/* Something to send: a head and perhaps data. done() is called when it was sent, or never will be. */
struct nbd_out {
	struct nbd_out *next;
	const uint8_t *head, *data;
	uint32_t head_len, data_len;
	unsigned pages;		/* if not 0, the data is in the connection's pipe, in so many buffers */
	void (*done)(struct nbd_conn *c, struct nbd_out *o);
};

struct nbd_req {
	struct list node;		/* in conn->reqs, until it has an answer */
	struct dm_req req;
	struct nbd_out out;
	struct nbd_conn *conn;
	uint64_t cookie, offset;
	uint32_t len;			/* bytes */
	uint16_t cmd, flags;
	uint8_t *data;			/* from the pool, data_room bytes, or NULL */
	uint32_t data_room;
	/* BLOCK_STATUS. */
	uint32_t n_extents;		/* in data */
	uint32_t asks;
	uint64_t at, end;		/* sectors: what was not asked for yet */
	struct trampoline asking;
	int err;
	uint8_t head[40];
	char sentence[160];
};

enum nbd_phase {
	NBD_GREETED,		/* waits for the client's flags */
	NBD_OPTIONS,
	NBD_TLS_AGREED,		/* the answer to STARTTLS has to be sent first */
	NBD_TLS_HANDSHAKE,
	NBD_TRANSMISSION,
	NBD_FINISHING,		/* nothing is read any more; answers are sent */
	NBD_DEAD,		/* the peer is gone; requests may still be in flight */
};

/* What a client is told about an export. */
struct nbd_export {
	uint64_t size;			/* bytes */
	uint32_t min_block, preferred_block;
	uint16_t flags;			/* NBD_FLAG_* */
	char name[DM_NAME_MAX + 1];
	char about[DM_UUID_MAX + 64];
};

enum nbd_ask_kind {
	NBD_ASK_LIST,		/* -> list */
	NBD_ASK_LOOK,		/* -> export */
	NBD_ASK_OPEN,		/* -> export, device */
};

/* A request to the control thread, one at a time; then() is called on the io thread. */
struct nbd_ask {
	struct loop_msg msg;
	enum nbd_ask_kind kind;
	char name[DM_NAME_MAX + 1];
	void (*answered)(struct loop_msg *msg);
	void (*then)(struct nbd_conn *c);
	struct err err;			/* code 0: answered */
	struct nbd_export export;
	struct dm_device *device;
	struct text list;		/* names, each with its NUL */
};

struct nbd_conn {
	struct nbd_io *nio;
	struct list node;		/* in nio->conns */
	struct loop_watch watch;
	struct loop_work work;		/* sends, continues, ends */
	struct loop_msg msg;		/* carries the connection to its io thread, and back at the end */
	enum nbd_phase phase;
	struct timer patience;		/* until the handshake is over */
	struct list starved;		/* in nio->starved: it waits for memory (pressure.c) */
	uint64_t moved;			/* when the client last sent or received something: the thread's clock, ns */
	bool tcp;
	pid_t peer_pid;			/* of a Unix socket; 0: unknown */
	char peer[NBD_PEER];		/* of TCP */
	struct list user;		/* the control thread's: in nbd->users while it has a device open ... */
	const struct dm_device *uses;	/* ... which is this one */
	struct nbd_tls_conn *tls;	/* NULL: plain text */
	bool tls_needed;		/* no option but STARTTLS is allowed before TLS */

	/* Handshake. */
	bool no_zeroes, structured, asking;
	uint32_t option;		/* the one being answered */
	uint32_t option_len;
	bool meta;			/* base:allocation was agreed on for meta_name */
	char meta_name[DM_NAME_MAX + 1];
	bool meta_match;		/* one of the queries being answered matches it */
	struct nbd_ask ask;

	/* Transmission. */
	struct dm_device *device;	/* open; NULL before transmission */
	bool writes;			/* it may write to the device (dm_write_begin()); the control thread's */
	struct nbd_export export;
	struct list reqs;		/* nbd_req.node: those without an answer */
	unsigned n_reqs;		/* from their arrival until their reply was sent */
	uint64_t n_bytes;		/* of data in them */
	bool stalled;			/* the next request has to wait until others are done */
	struct nbd_req *filling;	/* a WRITE whose data is arriving */
	uint32_t filled;		/* bytes of it */
	struct nbd_req *refused;	/* a WRITE whose data is being skipped: clients expect no answer before its end */

	/* Output. */
	struct nbd_out *out, **out_tail;
	size_t out_sent;		/* bytes of the first */
	bool out_full;			/* the socket takes no more for now */
	int pipe[2];			/* for data that stores provide as pages (shown.c); -1: not needed so far */
	unsigned pipe_room;		/* its capacity in buffers */

	/* From an earlier program (handover.c). */
	struct nbd_early *early;	/* to be received before what comes, or NULL */
	size_t refused_at;		/* where in rx a WRITE begins of whose data ... */
	uint32_t refused_skipped;	/* ... so much was discarded there; 0: there is none */
	bool handed;
	int lost;			/* it cannot go on: why */

	/* Received and not handled yet: rx[rx_at] to rx[rx_end]. */
	uint64_t skip;			/* bytes to be discarded first */
	size_t rx_at, rx_end;
	uint8_t rx[NBD_RX];
};

/* conn.c */
struct nbd_conn *nbd_conn_new(struct nbd_io *nio, int fd, bool tcp);	/* control thread */
void nbd_conn_begin(struct loop_msg *msg);	/* on its io thread */
void nbd_conn_finish(struct nbd_conn *c);	/* reads no more; ends when everything is answered and sent */
void nbd_conn_die(struct nbd_conn *c);		/* sends no more either; ends when all requests are over */
/* The client has violated the protocol: logs one line and disconnects it. */
void nbd_conn_reject(struct nbd_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void nbd_conn_wake(struct nbd_conn *c);		/* there is something to send or to do, at the turn's end */
void nbd_conn_send(struct nbd_conn *c, struct nbd_out *o);
bool nbd_conn_blocked(const struct nbd_conn *c);	/* too much is in flight to read on */

static inline size_t nbd_conn_got(const struct nbd_conn *c)
{
	return c->rx_end - c->rx_at;
}

/* send.c: sends what it can; false: the peer is gone. */
bool nbd_send(struct nbd_conn *c);
void nbd_send_nothing(struct nbd_conn *c);	/* drops the queue */

/* pressure.c: may C begin a request with SIZE bytes of data? False: it has to wait. */
bool nbd_pressure_may(struct nbd_conn *c, size_t size);
void nbd_pressure_wait(struct nbd_conn *c);
void nbd_pressure_end(struct nbd_conn *c);

/* shown.c: is Q a read whose data should be provided as pages, rather than copied? */
bool nbd_shown_may(struct nbd_req *q);
/* Moves the pages of Q's request into the pipe: 0 or -errno. With 0, Q must be the next to be answered. */
int nbd_shown_take(struct nbd_req *q);
/* Sends up to LEN bytes from the pipe to the socket: how many, or -errno. */
ssize_t nbd_shown_send(struct nbd_conn *c, size_t len);
void nbd_shown_sent(struct nbd_req *q);		/* Q's answer was sent: measures that */
void nbd_shown_close(struct nbd_conn *c);

/* recv.c: receives once and passes it on. ALL: everything there was (or the peer is gone); MORE: there may be more. */
enum nbd_got { NBD_GOT_NOTHING, NBD_GOT_ALL, NBD_GOT_MORE };
enum nbd_got nbd_recv(struct nbd_conn *c);

/* Steps: each handles one item of rx; false if it is not complete yet. */
bool nbd_handshake_step(struct nbd_conn *c);	/* handshake.c */
bool nbd_transmission_step(struct nbd_conn *c);	/* transmission.c */

/* handshake.c: answers to options. Each is one reply to c->option. */
void nbd_handshake_greet(struct nbd_conn *c);
void nbd_handshake_raw(struct nbd_conn *c, const void *data, size_t len);
void nbd_handshake_reply(struct nbd_conn *c, uint32_t type, const void *data, size_t len);
void nbd_handshake_refuse(struct nbd_conn *c, uint32_t type, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* options.c: DATA is c->option_len bytes long. */
void nbd_option(struct nbd_conn *c, const uint8_t *data);
/* meta.c: LIST_META_CONTEXT and SET_META_CONTEXT. */
void nbd_option_meta(struct nbd_conn *c, const uint8_t *data);
/* options.c: asks the control thread about the export NAME of LEN bytes; THEN is called with the answer. */
void nbd_option_ask(struct nbd_conn *c, enum nbd_ask_kind kind, const uint8_t *name, size_t len,
		    void (*then)(struct nbd_conn *c));

/* transmission.c: the data of c->filling is complete; that of c->refused was skipped. */
void nbd_transmission_filled(struct nbd_conn *c);
void nbd_transmission_skipped(struct nbd_conn *c);
void nbd_req_free(struct nbd_req *q);
const char *nbd_cmd_name(unsigned cmd);		/* of a command that is known */

/* reply.c: Q has ended with 0 or -errno. It is freed when the answer was sent. */
void nbd_reply(struct nbd_req *q, int err);
/* The same with an error message of its own. */
void nbd_reply_fail(struct nbd_req *q, enum nbd_errno err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* extents.c: answers a BLOCK_STATUS. */
void nbd_extents(struct nbd_req *q);

#endif
