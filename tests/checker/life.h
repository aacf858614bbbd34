/* SPDX-License-Identifier: BSD-2-Clause */
/* One life of the model checker's world, as a plan says (plan.h): in a process of its own. */
#ifndef TESTS_CHECKER_LIFE_H
#define TESTS_CHECKER_LIFE_H

#include "checker/client.h"
#include "checker/files.h"
#include "checker/volume.h"

struct sums {
	uint64_t lives, requests, failed, nbd, files, swaps, suspends, faults, mended, invalid, refused, looks, mismatches;
	uint64_t kinds[KINDS_MAX];	/* lines of each that were in use */
};

struct life {
	struct nbd_fixture n;
	struct fixture *f;
	const struct plan *plan;
	struct files files;
	struct volume volumes[VOLUMES];
	struct model_area areas[VOLUMES][AREAS];
	struct client clients[VOLUMES * CLIENTS];
	unsigned n_clients, from[VOLUMES + 1];	/* a volume's clients: up to from[v + 1] */
	unsigned n_areas[VOLUMES];
	struct sums sums;
	char why[ERR_TEXT];		/* the last command's error */
};

/* What is found is in found_what(). SUMS: what it did. */
void life_run(struct life *l, const struct plan *p);

/* For steps. */
void life_step(struct life *l, const struct step *s);
/* Runs C to its end, while clients go on. 0 or -errno. */
int life_do(struct life *l, struct dm_cmd *c);
int life_verb(struct life *l, enum dm_verb v, const char *name, uint32_t flags);
int life_reload(struct life *l, const char *name, const char *table);
/* A client's flush of D. */
int life_flush(struct life *l, struct dm_device *d);
/* Until so many requests were answered, or a while. */
void life_wait(struct life *l, unsigned answers);
/* Until all clients of volume V have stopped; and on, those that have. */
void life_stop(struct life *l, unsigned v);
void life_start(struct life *l, unsigned v);
/* The power of all disks of a line of volume V is about to go: what its clients are told from now on is no promise; or is on again. */
void life_power(struct life *l, unsigned v, bool on);
void life_begin_stop(struct life *l, unsigned v);
bool life_has_stopped(const struct life *l, unsigned v);
/* Has it clients that are not in process? */
bool life_is_used_elsewhere(const struct life *l, unsigned v);
/* The first N sectors of D: 0 or -errno. */
int life_read(struct life *l, struct dm_device *d, void *data, unsigned n);
/* For waiting: turns the loop once; since SINCE, which is life_now() of then, not too long a time may have passed. */
uint64_t life_now(void);
void life_turn(struct life *l, uint64_t since, const char *what);

/*
 * Before a table goes with which a write cache is lost: clients stop if it has one, and what they wrote is durable. False: it
 * cannot be made so. After the change: life_unsettle().
 */
bool life_settle(struct life *l, struct volume *v);
void life_unsettle(struct life *l, const struct volume *v);
int life_suspend(struct life *l, struct volume *v, uint32_t flags);
/* It must work: nothing fails now, except that backs refuses a few times. */
void life_resume(struct life *l, const char *name);
void life_resume_all(struct life *l, const char *const *names, size_t n);
void life_swap(struct life *l, const char *name, const char *table);

#endif
