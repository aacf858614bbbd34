/* SPDX-License-Identifier: BSD-2-Clause */
/* See explore.h. */
#include "crash/explore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crash/missing.h"
#include "crash/shrink.h"

struct exploring {
	struct report *report;
	const struct explore_options *o;
	size_t tried;
};

static double explore_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int explore_crew(struct crew **out, const struct report *report, const struct explore_options *o, unsigned jobs, struct err *e)
{
	const struct recording *r = report->recording;
	const struct trial_options t = {
		.history = &r->history, .base = r->base, .out = r->directory, .fs = r->fs, .mount_options = r->mount_options, .fuse = o->fuse,
		.fsck = o->fsck, .check = o->check, .seconds = o->seconds,
	};

	return crew_new(out, r->fs && r->fs->alone ? 1 : jobs, &t, e);
}

/* The names become the jobs'. */
static int explore_choose(struct report *report, const struct explore_options *o, struct err *e)
{
	const struct recording *r = report->recording;
	struct chosen c;
	size_t i;

	if (choose(&c, &r->history, r->base, &o->choose, e))
		return e->code;
	report->jobs = calloc(c.n + 1, sizeof(*report->jobs));
	report->n = report->jobs ? c.n : 0;
	report->same = c.same;
	for (i = 0; i < report->n; i++)
		report->jobs[i].state = c.names[i];
	free(c.names);
	return report->jobs ? 0 : err_set(e, -ENOMEM, "no memory for %zu states", c.n);
}

static bool explore_seen(void *arg, const struct crew_job *job)
{
	struct exploring *x = arg;

	x->report->counts[job->result.verdict]++;
	x->tried++;
	if (x->o->progress)
		x->o->progress(x->report, x->tried);
	return true;
}

/* Fewer is worse: the program's failures go first, then those with fewer lost writes. */
static size_t explore_weight(const struct report *report, const struct crew_job *job)
{
	struct err e = ERR_INIT;
	struct state s;
	size_t lost;

	if (!job->done || job->result.verdict == VERDICT_PASSED || state_parse(&s, &report->recording->history, job->state, &e))
		return SIZE_MAX;
	lost = state_lost_writes(&s);
	state_free(&s);
	return lost + (verdict_is_programs(job->result.verdict) ? 0 : SIZE_MAX / 2);
}

static struct crew_job *explore_worst(struct report *report)
{
	struct crew_job *worst = NULL;
	size_t least = SIZE_MAX, i, weight;

	for (i = 0; i < report->n; i++) {
		weight = explore_weight(report, &report->jobs[i]);
		if (weight < least) {
			least = weight;
			worst = &report->jobs[i];
		}
	}
	return worst;
}

static int explore_copy(struct report *report, const struct crew_job *job, struct err *e)
{
	report->smallest = *job;
	report->smallest.state = strdup(job->state);
	report->smallest.result.output = (struct text)TEXT_INIT;
	text_add(&report->smallest.result.output, text_str(&job->result.output));
	report->failed = true;
	return report->smallest.state ? 0 : err_set(e, -ENOMEM, "no memory for a state");
}

static int explore_run(struct report *report, const struct explore_options *o, struct crew *crew, struct err *e)
{
	struct exploring x = { .report = report, .o = o };
	const struct crew_job *worst;
	double began = explore_now();
	int r = crew_try(crew, report->jobs, report->n, explore_seen, &x, e);

	report->seconds = explore_now() - began;
	worst = r ? NULL : explore_worst(report);
	if (!worst)
		return r;
	r = explore_copy(report, worst, e);
	if (!r)
		r = shrink(crew, &report->recording->history, &report->smallest, &report->shrunk, e);
	return r ? r : missing_find(report, crew, e);
}

int explore(struct report *report, const struct explore_options *o, struct err *e)
{
	struct crew *crew = NULL;
	int r = explore_choose(report, o, e);

	if (!r)
		r = explore_crew(&crew, report, o, o->jobs, e);
	if (!r)
		r = explore_run(report, o, crew, e);
	crew_free(crew);
	return r;
}

int explore_one(struct report *report, const struct explore_options *o, const char *state, struct err *e)
{
	struct exploring x = { .report = report, .o = o };
	struct crew *crew = NULL;
	struct state s;
	int r = state_parse(&s, &report->recording->history, state, e);

	if (r)
		return r;
	state_free(&s);
	report->smallest.state = strdup(state);
	report->failed = true;
	r = report->smallest.state ? explore_crew(&crew, report, o, 1, e) : err_set(e, -ENOMEM, "no memory for a state");
	if (!r)
		r = crew_try(crew, &report->smallest, 1, explore_seen, &x, e);
	if (!r)
		r = missing_find(report, crew, e);
	crew_free(crew);
	return r;
}
