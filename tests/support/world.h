/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world for tests: the real types and stores, plus a target that a test controls. Commands and requests are carried
 * out on the test's own thread, which is the control thread.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "core/command/command.h"
#include "core/world.h"

struct fixture {
	struct loop *loop;
	struct dm_world *world;
};

/* Worlds created from now on have a clock that stands still until time_passes(). */
void fixture_stop_clock(void);
void time_jumps(uint64_t seconds);	/* and nobody has noticed yet */
void time_passes(struct fixture *f, uint64_t seconds);	/* and every thread has run its timers */

/* Worlds created from now on have TYPE as well. */
void fixture_add_type(const struct dm_type *type);
/* And this store, unless it is NULL. */
extern const struct dm_store_type *fixture_store;

/* ENGINE and THREADS as in dm_world_opts. On failure the running test fails. */
void fixture_begin(struct fixture *f, unsigned threads, enum aio_engine engine);
void fixture_end(struct fixture *f);

/* Runs one command to its end: returns the errno, and the sentence in *SENTENCE (may be NULL). */
int run(struct fixture *f, struct dm_cmd *c, char *sentence);

int create(struct fixture *f, const char *name, const char *table, char *sentence);
/* The created device; if there is none, the running test fails with the sentence. */
struct dm_device *make_device(struct fixture *f, const char *name, const char *table);
/* Shows the file WORD as disk NAME: 0, or -errno and WHY. */
int show_disk(struct fixture *f, const char *name, const char *word, uint32_t flags, char *why);
int verb(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags, char *sentence);
int reload(struct fixture *f, const char *name, const char *table, char *sentence);
struct dm_info info(struct fixture *f, const char *name);

/* The device of that name, opened. */
struct dm_device *open_device(struct fixture *f, const char *name);

/* Table or status text of a device, one line each, to be freed. */
char *rows(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags);

/* Is PART in the status of a device? And: until it is. */
bool status_has(struct fixture *f, const char *name, const char *part);
void status_wait(struct fixture *f, const char *name, const char *part);

/* A request on io thread IO, and a way to wait for it. */
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

/* Fills in req and sends it; the device must be open (dm_open). */
void job_start(struct fixture *f, struct job *j, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags,
	       uint64_t sector, uint64_t count, void *data);
int job_wait(struct job *j);

/* Both together. */
int request(struct fixture *f, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags, uint64_t sector,
	    uint64_t count, void *data);

/*
 * Lets every io thread and the control thread handle what was posted so far, once. A command may take several such rounds, and
 * a build several turns of the loop: turn that until what is waited for is so.
 */
void settle_threads(struct fixture *f);

/*
 * The target `gate`: holds every request until gate_open(), so that tests can have requests in flight as long as they
 * like. gate_held() counts them.
 */
extern const struct dm_type gate_type;
unsigned gate_held(void);
void gate_open(struct fixture *f);
void gate_end(struct fixture *f, int err);	/* the same, but they end with ERR */
void gate_shut(void);

#endif
