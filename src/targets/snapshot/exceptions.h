/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exceptions of a snapshot in memory: which chunk of the origin is in which chunk of the store. Every request looks here,
 * so looking takes no lock: a reader that a change has overtaken looks again. Up to eight chunks that follow each other in
 * both places share one node of 16 bytes; with its place in the buckets an exception has 20 bytes at most. Buckets are added
 * one at a time, as nodes are (linear hashing), so no single addition is expensive.
 *
 * The memory is reserved when the table is made, as addresses; a page exists once it is used.
 */
#ifndef TARGETS_SNAPSHOT_EXCEPTIONS_H
#define TARGETS_SNAPSHOT_EXCEPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define EXCEPTIONS_OLD_BITS 48		/* a chunk's number in the origin has at most so many bits ... */
#define EXCEPTIONS_NEW_BITS 44		/* ... and in the store */

struct exceptions;

/* Room for MOST exceptions (2^32 - 2 at most): 0 or -errno and a sentence. */
int exceptions_new(struct exceptions **out, uint64_t most, struct err *e);
void exceptions_free(struct exceptions *x);	/* NULL is harmless */

/* Any thread. True: OLD is in *NEW. */
bool exceptions_find(const struct exceptions *x, uint64_t old, uint64_t *new);

/* OLD, which has none, is in NEW. False: it is one too many. Any thread. */
bool exceptions_add(struct exceptions *x, uint64_t old, uint64_t new);

/* OLD is the last chunk of its run: those that were added last go first. Any thread. */
void exceptions_remove(struct exceptions *x, uint64_t old);

/* Calls EACH for all of them, run by run; nobody changes anything meanwhile. */
void exceptions_each(const struct exceptions *x, void (*each)(void *arg, uint64_t old, uint64_t new, unsigned run), void *arg);

/* Exceptions, and the nodes that they need. Any thread. */
uint64_t exceptions_count(const struct exceptions *x);
uint64_t exceptions_nodes(const struct exceptions *x);

#endif
