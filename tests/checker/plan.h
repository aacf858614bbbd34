/* SPDX-License-Identifier: BSD-2-Clause */
/* What a life of the model checker's world does: made from a number, printed as a script, and made smaller after a failure. */
#ifndef TESTS_CHECKER_PLAN_H
#define TESTS_CHECKER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define VOLUMES 2u
#define LINES 3u
#define CLIENTS 6u		/* of a volume */
#define STEPS 24u

enum step_kind {
#define STEP(id, words) STEP_##id,
#include "checker/steps.list"
#undef STEP
	STEP_KINDS
};

struct step {
	enum step_kind kind;
	unsigned volume, a, b;		/* a and b choose: the line, the leg, the table; each taken modulo what there is */
};

struct plan {
	unsigned long long seed;
	unsigned threads, n_steps;
	struct {
		unsigned lines, kinds[LINES];
		unsigned clients, nbd, files;	/* a bit each: NBD goes first */
	} volumes[VOLUMES];		/* without lines: it is not there */
	struct step steps[STEPS];
};

void plan_make(struct plan *p, unsigned long long seed, unsigned n_kinds);
void plan_print(const struct plan *p, const char *(*kind_name)(unsigned kind));

/* P without its AT-th part: a volume, a client, a step. False: there is no such part, or it cannot do without. */
bool plan_without(const struct plan *p, unsigned at, struct plan *out);
#define PLAN_PARTS (VOLUMES + VOLUMES * CLIENTS + STEPS)
/* P without N steps from AT on. */
bool plan_without_steps(const struct plan *p, unsigned at, unsigned n, struct plan *out);

#endif
