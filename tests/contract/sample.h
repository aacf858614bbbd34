/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes target words from a type's own usage line, so that the contract tests
 * run on a new target without being told about it. A usage word that is new here
 * fails the test until sample.c learns what to put in its place.
 */
#ifndef TESTS_CONTRACT_SAMPLE_H
#define TESTS_CONTRACT_SAMPLE_H

#include <stddef.h>

#include "core/target.h"

#define SAMPLE_WORDS 32

struct sample {
	char words[SAMPLE_WORDS][64];
	size_t n;
};

/* A line of this many sectors suits every sample. */
#define SAMPLE_SECTORS 960u

void sample_make(struct sample *s, const struct dm_type *t);

/* "START LEN TYPE WORDS" */
void sample_line(char *out, size_t size, const struct dm_type *t, const struct sample *s, unsigned start);

#endif
