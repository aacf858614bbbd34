/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world for tests: the real types and stores, plus a target that a test holds
 * by hand. Commands and requests are carried out from the test's own thread,
 * which is the control thread.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "core/command/command.h"
#include "core/world.h"

struct fixture {
	struct loop *loop;
	struct dm_world *world;
};

/* Worlds made from here on have a clock that stands still until time_passes(). */
void fixture_stop_clock(void);
void time_passes(struct fixture *f, uint64_t seconds);	/* and every thread has looked at its timers */

/* Worlds made from here on know TYPE, too. */
void fixture_add_type(const struct dm_type *type);
/* And this store, or NULL. */
extern const struct dm_store_type *fixture_store;

/* ENGINE and THREADS as in dm_world_opts. Fails the running test if it cannot be made. */
void fixture_begin(struct fixture *f, unsigned threads, enum aio_engine engine);
void fixture_end(struct fixture *f);

/* One command, carried out to its end: returns the errno, *SENTENCE (may be NULL) gets the text. */
int run(struct fixture *f, struct dm_cmd *c, char *sentence);

int create(struct fixture *f, const char *name, const char *table, char *sentence);
/* The device that came of it; fails the running test with the sentence if none did. */
struct dm_device *make_device(struct fixture *f, const char *name, const char *table);
/* Shows what WORD says as the disk NAME: 0, or -errno and WHY. */
int show_disk(struct fixture *f, const char *name, const char *word, uint32_t flags, char *why);
int verb(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags, char *sentence);
int reload(struct fixture *f, const char *name, const char *table, char *sentence);
struct dm_info info(struct fixture *f, const char *name);

/* Table or status text of a device, a line each, to be freed. */
char *rows(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags);

/* A request that lives on io thread IO, and the way to wait for it. */
struct job {
	struct dm_req req;
	struct iovec iov[3];
	struct dm_device *device;
	struct dm_io *io;
	struct fixture *f;
	struct loop_msg msg;
	bool over;
	int err;
};

/* Fills req and sends it; the device must be held open (dm_open). */
void job_start(struct fixture *f, struct job *j, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags,
	       uint64_t sector, uint64_t count, void *data);
int job_wait(struct job *j);

/* Both in one. */
int request(struct fixture *f, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags, uint64_t sector,
	    uint64_t count, void *data);

/* Lets every io thread and the control thread handle what was posted so far. */
void settle_threads(struct fixture *f);

/*
 * The target `gate`: holds every request that reaches it until gate_open(); it is how a test has requests under way
 * for as long as it likes. gate_held() counts them.
 */
extern const struct dm_type gate_type;
unsigned gate_held(void);
void gate_open(struct fixture *f);
void gate_end(struct fixture *f, int err);	/* the same, but they end with ERR */
void gate_shut(void);

#endif
