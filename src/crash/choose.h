/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which states of a recording are tried: of each cut the two ends (nothing lost, everything that may be lost), and between them
 * random ones. The choice depends on the recording and the seed alone. Two that show the same disk and the same marks are one.
 */
#ifndef CRASH_CHOOSE_H
#define CRASH_CHOOSE_H

#include "crash/state.h"

struct choose_options {
	uint64_t points;		/* so many cuts, evenly spread; 0: all */
	uint64_t states;		/* so many between the ends, if there are as many */
	uint64_t seed;
};

struct chosen {
	char **names;			/* of states, in the order of the cuts */
	size_t n;
	size_t same;			/* so many more were the same as others */
};

/* BASE: mapped. 0 or -errno and a sentence. */
int choose(struct chosen *out, const struct history *h, const uint8_t *base, const struct choose_options *o, struct err *e);
void chosen_free(struct chosen *c);

#endif
