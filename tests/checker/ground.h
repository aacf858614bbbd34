/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disks of the model checker, as stores disk:0, disk:1, ... They have a volatile cache, fail and are slow when they are told
 * to, drop what is discarded, and know which of them are in use: a request to another one is found.
 *
 * They take the place of those of contract/disk.h, because the contract samples name these.
 */
#ifndef TESTS_CHECKER_GROUND_H
#define TESTS_CHECKER_GROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/disk.h"

#define GROUNDS 64u
#define GROUND_SECTORS 2048u

/* None is in use, nothing fails, nothing is slow. No world may use them. */
void ground_reset(void);
/* The first of N in a row that nobody uses, from now on in use and full of zeros. -1: there are none. */
int ground_take(unsigned n);
/* It is no longer in use: its content is spoilt. */
void ground_leave(unsigned n);
/* Its content, also what is not durable. No request to it is under way. */
uint8_t *ground_now(unsigned n);
void ground_make_durable(unsigned n);	/* what was written to ground_now() */
/* TO gets the content of FROM. */
void ground_copy(unsigned to, unsigned from);
/* Every Nth request fails, or waits for ground_let_go(); 0: none. */
void ground_fails(unsigned n, unsigned every);
void ground_is_slow(unsigned n, unsigned every);
void ground_let_go(void);	/* control thread */

/* What would be left if the power went now: each sector that is not durable may be lost. */
void ground_lose(void);
const uint8_t *ground_left(unsigned n);

/* disk_bytes(n) is that of N + BASE, for the samples' format(). */
void ground_base(unsigned base);

struct ground_sums {
	_Atomic uint64_t requests, failed;
};
extern struct ground_sums ground_sums;

#endif
