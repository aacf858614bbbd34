/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that try states in parallel, each with mounts of its own (trial.h). They end with their creator. */
#ifndef CRASH_CREW_H
#define CRASH_CREW_H

#include "crash/trial.h"

struct crew;

struct crew_job {
	char *state;			/* its name */
	struct trial_result result;
	bool done;
};

/* N processes, which are ready when it returns. In a process with one thread. 0 or -errno and a sentence. */
int crew_new(struct crew **out, unsigned n, const struct trial_options *o, struct err *e);
void crew_free(struct crew *c);

/*
 * Tries all of JOBS. After each, SEEN is told, which may end it (false): what is not done then stays so. 0; or -errno and a sentence, if a
 * state could not be tried.
 */
int crew_try(struct crew *c, struct crew_job *jobs, size_t n, bool (*seen)(void *arg, const struct crew_job *job), void *arg, struct err *e);

/* See trial_names(). */
void crew_names(struct crew *c, const char *sectors, struct text *out);

#endif
