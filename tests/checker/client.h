/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the model checker: it has one area of a volume to itself (model.h), in which it writes, zeroes and discards; it
 * reads there and in those of the others, and flushes. One request after the other, in process or over NBD.
 */
#ifndef TESTS_CHECKER_CLIENT_H
#define TESTS_CHECKER_CLIENT_H

#include <pthread.h>

#include "checker/model.h"
#include "core/world.h"
#include "support/nbd.h"

#define AREAS 6u		/* of a volume, one client each */

struct client {
	unsigned number;
	char volume[32];		/* its first name, for what is found */
	struct model_area *areas, *own;	/* those of all clients of the volume */
	unsigned n_areas;
	struct dm_device *device;
	atomic_bool stop, stopped;
	_Atomic uint64_t answered, failed;
	_Atomic uint64_t since;		/* when the request under way was sent, ns; 0: none is */

	/* The request: its io thread's, or its own thread's. */
	enum dm_op op;
	bool fua;
	struct model_area *area;
	unsigned first, n;
	struct model_view views[AREAS];	/* of the area, or for a flush of all */
	uint8_t data[AREA * DM_SECTOR];

	/* In process. */
	struct dm_io *io;
	pthread_t thread;		/* on which it was sent; over NBD: its own */
	struct dm_req req;
	struct iovec iov[2];
	struct loop_msg msg;

	/* Over NBD: a thread of its own. */
	bool nbd;
	struct nbd_client conn;
	uint64_t cookie;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool ends;
};

void client_init(struct client *c, unsigned number, struct model_area *areas, unsigned n_areas, unsigned own);
/* Control thread. On D, which is open; as often as it has stopped. */
void client_start(struct client *c);
void client_stop(struct client *c);	/* soon: `stopped` */
/* No more starts. */
void client_end(struct client *c);

/* For both ways: the next request, and its answer. */
void client_choose(struct client *c);
void client_answered(struct client *c, int err);

/* Control thread: the connection to export NAME. */
void client_connect(struct client *c, struct nbd_fixture *n, const char *name);
void client_nbd_change(struct client *c);
void client_nbd_end(struct client *c);

#endif
