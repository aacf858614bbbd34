/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One life of the stack test's world:
 *
 *   d7 xors          m  linear: the record of the commits (d0 stands on it, too)
 *   d6 any, any      w  linear on the copies that cows makes
 *   d5 any           x  comes and goes, on one of the others
 *   d4 cows          e4 cows, the same object as d4's, also on d3
 *   d3 any
 *   d2 legs: d1, and memory or a device of errors
 *   d1 any           any: linear, holds, backs or bites, another one at each reload
 *   d0 commits
 */
#ifndef TESTS_STACK_LIFE_H
#define TESTS_STACK_LIFE_H

#include "stack/client.h"
#include "support/world.h"

#define LIFE_CLIENTS 17u	/* the last one is on x */
#define LIFE_DEVICES 10u	/* that are suspended, resumed and swapped */
#define LIFE_TABLE 256

struct life {
	struct fixture f;
	char base[128];			/* the word of the lowest store */
	bool lame;			/* one leg is a device of errors */
	struct client clients[LIFE_CLIENTS];
};

extern const char *const life_devices[LIFE_DEVICES];

/* The next table of a device. */
void life_table(const struct life *l, const char *name, char *to);
/* FILE: the lowest store is this file, else memory. */
void life_begin(struct life *l, const char *file);
/* Everything is active, and nothing is under way: are all sectors what they must be? Clients have stopped. */
void life_check(struct life *l);
/* No request is under way. */
void life_end(struct life *l, bool in_order);

/* On stderr: what everything waits for. */
void life_tell(struct life *l);

bool life_clients_stopped(const struct life *l);

#endif
