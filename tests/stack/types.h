/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sample targets for the stack test, each of which uses one part of what targets with state stand on. All of them pass
 * requests on to the same sectors (xors also changes the bytes), so that what a client has written is what it reads again.
 *
 *   holds DEV OFF                      another thread decides when a request goes on
 *   backs DEV OFF                      keeps requests until presuspend or backs_let_go(); puts some back to the gate
 *   bites DEV OFF                      takes three sectors at a time
 *   xors DEV OFF                       computes on the workers
 *   legs DEV OFF DEV OFF               writes to two places; one that fails is not used again
 *   cows DEV OFF COPY OFF              copies a chunk elsewhere before its first write; shared by all that stand on DEV
 *   commits META OFF DEV OFF           a clerk writes a record at a flush and in postsuspend, and reads it in preresume
 */
#ifndef TESTS_STACK_TYPES_H
#define TESTS_STACK_TYPES_H

#include "core/table/target.h"

#define COWS_CHUNK 8u

extern const struct dm_type holds_type, backs_type, bites_type, xors_type, legs_type, cows_type, commits_type;

/* What all worlds of this process remember begins anew. No world is there. */
void types_reset(void);

/* Control thread: what backs keeps goes on; and from now on it keeps something, or not. */
void backs_let_go(void);
void backs_may_keep(bool may);

/* Commits that have succeeded. */
unsigned commits_made(void);
/* Is the leg that leads to the commits still in use? */
bool legs_first_is_good(void);
/* Something that must never be was seen: a sentence, or NULL. */
const char *types_wrong(void);
void types_found(const char *what);

/* A number from 0 to N - 1, of this thread's own sequence. */
unsigned types_random(unsigned n);
void types_seed(unsigned long long seed);

/* The other thread: R goes on with VERDICT, or S is done, a while later. */
void elsewhere_go_on(struct dm_req *r, int verdict);
void elsewhere_step(struct dm_step *s, int err);
void elsewhere_begin(void);
void elsewhere_end(void);	/* all is handled */

#endif
