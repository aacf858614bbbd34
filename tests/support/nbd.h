/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An NBD server for tests, and a client that sends whatever a test wants, right or wrong. Waiting for the server runs
 * the world's loop, because the test's own thread is the control thread.
 */
#ifndef TESTS_SUPPORT_NBD_H
#define TESTS_SUPPORT_NBD_H

#include "fronts/nbd/nbd.h"
#include "fronts/nbd/wire.h"
#include "support/temp.h"
#include "support/world.h"

struct nbd_fixture {
	struct fixture f;
	struct nbd *nbd;
	char directory[TEMP_PATH], path[TEMP_PATH + 4];	/* of the socket */
	bool stopped;			/* nbd_stop() has finished */
};

struct nbd_client {
	struct nbd_fixture *n;
	struct loop_watch watch;	/* fd: the socket */
	bool structured;
};

/* The server's answer to a request. */
struct nbd_answer {
	uint16_t type;			/* of a structured reply; NBD_REPLY_NONE of a simple one */
	uint32_t err;
	uint64_t cookie;
	uint32_t len;			/* bytes in data, after offset, error number and the like */
	char sentence[256];		/* of an error; "" if there was none */
	uint8_t data[70000];
};

/* A world of THREADS io threads with a server on a Unix socket in a new directory. */
void nbd_begin(struct nbd_fixture *n, unsigned threads);
/* The same with other limits. */
void nbd_begin_with(struct nbd_fixture *n, unsigned threads, const struct nbd_opts *limits);
void nbd_end(struct nbd_fixture *n);
void nbd_begin_stop(struct nbd_fixture *n);
/* The callback for nbd_stop(), with the fixture. */
void nbd_is_stopped(void *fixture);
void nbd_wait_stop(struct nbd_fixture *n);

/* The device's open count, once everything that was posted is handled. */
uint32_t nbd_opens(struct nbd_fixture *n, const char *device);

void nbdc_dial(struct nbd_client *c, struct nbd_fixture *n);		/* connects, sends nothing */
void nbdc_hang_up(struct nbd_client *c);
void nbdc_say(struct nbd_client *c, const void *data, size_t len);	/* all of it */
size_t nbdc_hear(struct nbd_client *c, void *data, size_t len);	/* less only at the end of the connection */
bool nbdc_at_end(struct nbd_client *c);				/* the server has closed the connection and sent nothing more */

/* The handshake: greeting and flags; an option; its reply. */
void nbdc_greet(struct nbd_client *c);
void nbdc_option(struct nbd_client *c, uint32_t option, const void *data, uint32_t len);
/* The type of the next reply; its data is stored in DATA (64 KiB), NUL-terminated, and its length in *LEN. */
uint32_t nbdc_option_reply(struct nbd_client *c, uint32_t option, char *data, uint32_t *len);
/* GO (or INFO) for NAME: returns the last reply's type, and size and flags of the export. */
uint32_t nbdc_go(struct nbd_client *c, uint32_t option, const char *name, uint64_t *size, uint16_t *flags);
uint32_t nbdc_meta(struct nbd_client *c, uint32_t option, const char *name, const char *query);	/* type of the first reply */
/* All of it: ready for requests on NAME, with structured replies and base:allocation if STRUCTURED. */
void nbdc_open(struct nbd_client *c, struct nbd_fixture *n, const char *name, bool structured);

/* Writes a request; returns the address after it. */
uint8_t *nbdc_put(uint8_t *p, uint16_t cmd, uint16_t flags, uint64_t cookie, uint64_t offset, uint32_t len);
/* Sends a request without data; then reads the answer (READ: LEN bytes are expected). */
void nbdc_ask(struct nbd_client *c, uint16_t cmd, uint16_t flags, uint64_t cookie, uint64_t offset, uint32_t len);
void nbdc_answer(struct nbd_client *c, struct nbd_answer *a, uint32_t read_len);
/* Both, with DATA after a WRITE: returns the error number. */
uint32_t nbdc_do(struct nbd_client *c, struct nbd_answer *a, uint16_t cmd, uint16_t flags, uint64_t offset,
		 uint32_t len, const void *data);

#endif
