/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the model checker: it has one area of a volume to itself (model.h), in which it writes, zeroes and discards; it
 * reads there and in those of the others, and flushes. One request after the other, in process, over NBD, or on a file of FUSE:
 * in a session's /dev, or where `mount` shows devices as files.
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
	bool reads_only;
	atomic_bool stop, stopped;
	atomic_bool off;		/* the power is: what is answered promises nothing, for nobody would have heard it */
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
	pthread_t thread;		/* on which it was sent; or its own */
	struct dm_req req;
	struct iovec iov[2];
	struct loop_msg msg;

	/* Else: a thread of its own. */
	enum { CLIENT_INSIDE, CLIENT_NBD, CLIENT_FILE } way;
	int fd;
	struct nbd_client conn;
	uint64_t cookie;
	char path[128];
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool ends;
	atomic_bool ended;
};

void client_init(struct client *c, unsigned number, struct model_area *areas, unsigned n_areas, unsigned own);
/* Control thread. On D, which is open; as often as it has stopped. */
void client_start(struct client *c);
void client_stop(struct client *c);	/* soon: `stopped` */
/* No more starts. When `ended`, or if it is in process, client_end(). */
void client_begin_end(struct client *c);
void client_end(struct client *c);

/* For all ways: the next request, and its answer. */
void client_choose(struct client *c);
void client_answered(struct client *c, int err);

/* Control thread, once: it is a client of the export NAME, or of the file PATH, which it opens: it is `stopped` then. */
void client_connect(struct client *c, struct nbd_fixture *n, const char *name);
void client_use_file(struct client *c, const char *path);

/* For these. */
#define CLIENT_LOST 1
void client_thread_begin(struct client *c);
void client_thread_change(struct client *c);
int client_nbd_ask(struct client *c);	/* 0, -errno or CLIENT_LOST */
int client_file_ask(struct client *c);
bool client_file_open(struct client *c);

#endif
