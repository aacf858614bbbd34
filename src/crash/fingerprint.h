/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk shows, as one number: the XOR over all sectors that were written to of a hash of the sector's number and content, so that a
 * write changes it by what it writes. Two disks with the same number are taken to be the same.
 */
#ifndef CRASH_FINGERPRINT_H
#define CRASH_FINGERPRINT_H

#include "crash/state.h"

struct fingerprints;

int fingerprints_new(struct fingerprints **out, const struct history *h, const uint8_t *base, struct err *e);
void fingerprints_free(struct fingerprints *f);

/* The states of C come next; cuts come in their order. */
int fingerprints_go_to(struct fingerprints *f, const struct history_cut *c, const struct pieces *p, struct err *e);

/* Of a state of that cut: its disk, and the marks before it. */
uint64_t fingerprint(struct fingerprints *f, const struct state *s);

#endif
