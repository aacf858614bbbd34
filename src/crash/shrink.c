/* SPDX-License-Identifier: BSD-2-Clause */
/* See shrink.h. Whatever is tried in one round is tried in parallel; the first that fails, in a fixed order, is taken. */
#include "crash/shrink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_MOST 4000u	/* states; then it is good enough */

/* Things that may be lost: candidates, or pieces (indices). */
struct lost {
	size_t *at;
	size_t n;
};

struct shrinking {
	struct crew *crew;
	const struct history *history;
	struct crew_job *best;
	bool pieces;			/* the things are pieces */
	struct state all;		/* of the cut; nothing is lost */
	size_t *tried;
};

static bool shrink_fails(const struct shrinking *s, const struct crew_job *job)
{
	if (verdict_is_programs(s->best->result.verdict))
		return verdict_is_programs(job->result.verdict);
	return job->result.verdict == s->best->result.verdict;
}

/* The name of the state that has lost SET but for [FROM, TO), or with ONLY nothing but that. */
static char *shrink_name(struct shrinking *s, const struct lost *set, size_t from, size_t to, bool only, struct err *e)
{
	struct state *a = &s->all;
	struct text name = TEXT_INIT;
	size_t i, j;

	memset(a->lost, 0, a->pieces.n * sizeof(*a->lost));
	for (i = 0; i < set->n; i++) {
		if ((i >= from && i < to) != only)
			continue;
		for (j = 0; j < a->pieces.n; j++)
			if (set->at[i] == (s->pieces ? j : a->pieces.at[j].candidate))
				a->lost[j] = true;
	}
	if (state_settle(a, e))
		return NULL;
	state_name(a, &name);
	return text_take(&name);
}

static bool shrink_seen(void *arg, const struct crew_job *job)
{
	(void)arg;
	(void)job;
	return true;
}

static void shrink_free_jobs(struct crew_job *jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(jobs[i].state);
		text_free(&jobs[i].result.output);
	}
	free(jobs);
}

/* Tries them; the first that fails becomes the best. Its index, N if there is none, or -errno. */
static ssize_t shrink_try(struct shrinking *s, struct crew_job *jobs, size_t n, struct err *e)
{
	struct crew_job was;
	size_t i;

	if (crew_try(s->crew, jobs, n, shrink_seen, NULL, e))
		return e->code;
	*s->tried += n;
	for (i = 0; i < n && !shrink_fails(s, &jobs[i]); i++)
		;
	if (i < n) {
		was = *s->best;
		*s->best = jobs[i];
		jobs[i] = was;
	}
	return (ssize_t)i;
}

/* Where part I of N of the set begins. */
static size_t shrink_part(const struct lost *set, size_t i, size_t n)
{
	return i * set->n / n;
}

/* Each of N parts alone, then all but each. The same answer as shrink_try(). */
static ssize_t shrink_round(struct shrinking *s, const struct lost *set, size_t n, struct err *e)
{
	struct crew_job *jobs = calloc(2 * n, sizeof(*jobs));
	size_t i;
	ssize_t r = jobs ? 0 : err_set(e, -ENOMEM, "no memory for states");

	for (i = 0; !r && i < 2 * n; i++) {
		jobs[i].state = shrink_name(s, set, shrink_part(set, i % n, n), shrink_part(set, i % n + 1, n), i < n, e);
		if (!jobs[i].state)
			r = err_set(e, -ENOMEM, "no memory for states");
	}
	if (!r)
		r = shrink_try(s, jobs, n > 2 ? 2 * n : n, e);
	if (jobs)
		shrink_free_jobs(jobs, 2 * n);
	return r;
}

/* Only part I of N is left, or all but that. */
static void shrink_keep(struct lost *set, size_t i, size_t n, bool only)
{
	size_t from = shrink_part(set, i, n), to = shrink_part(set, i + 1, n);

	if (only) {
		memmove(set->at, set->at + from, (to - from) * sizeof(*set->at));
		set->n = to - from;
	} else {
		memmove(set->at + from, set->at + to, (set->n - to) * sizeof(*set->at));
		set->n -= to - from;
	}
}

static int shrink_set(struct shrinking *s, struct lost *set, struct err *e)
{
	size_t n = 2;
	ssize_t r;

	while (set->n > 1 && *s->tried < SHRINK_MOST) {
		r = shrink_round(s, set, n, e);
		if (r < 0)
			return (int)r;
		if ((size_t)r < n) {
			shrink_keep(set, (size_t)r, n, true);
			n = 2;
		} else if (n > 2 && (size_t)r < 2 * n) {
			shrink_keep(set, (size_t)r - n, n, false);
			n--;
		} else if (n < set->n) {
			n = 2 * n < set->n ? 2 * n : set->n;
		} else {
			break;
		}
		n = n < set->n ? n : set->n;
	}
	return 0;
}

/* What is lost in the best state. */
static int shrink_begin(struct shrinking *s, struct lost *set, struct err *e)
{
	struct state best;
	size_t i, thing;

	if (state_parse(&best, s->history, s->best->state, e))
		return e->code;
	set->n = 0;
	set->at = calloc(best.pieces.n + 1, sizeof(*set->at));
	for (i = 0; set->at && i < best.pieces.n; i++) {
		thing = s->pieces ? i : best.pieces.at[i].candidate;
		if (best.lost[i] && (!set->n || set->at[set->n - 1] != thing))
			set->at[set->n++] = thing;
	}
	state_free(&best);
	return set->at ? 0 : err_set(e, -ENOMEM, "no memory for states");
}

static int shrink_level(struct shrinking *s, bool pieces, struct err *e)
{
	struct lost set = { .n = 0 };
	int r;

	s->pieces = pieces;
	r = shrink_begin(s, &set, e);
	if (!r)
		r = shrink_set(s, &set, e);
	free(set.at);
	return r;
}

/* Does it fail with nothing lost? 1: yes. */
static int shrink_nothing(struct shrinking *s, struct err *e)
{
	const struct lost none = { .n = 0 };
	struct crew_job *job = calloc(1, sizeof(*job));
	ssize_t r;

	if (!job || !(job->state = shrink_name(s, &none, 0, 0, true, e))) {
		free(job);
		return err_set(e, -ENOMEM, "no memory for states");
	}
	r = shrink_try(s, job, 1, e);
	shrink_free_jobs(job, 1);
	return r < 0 ? (int)r : r == 0;
}

int shrink(struct crew *c, const struct history *h, struct crew_job *job, size_t *tried, struct err *e)
{
	struct shrinking s = { .crew = c, .history = h, .best = job, .tried = tried };
	struct state first;
	int r;

	if (state_parse(&first, h, job->state, e))
		return e->code;
	r = state_new(&s.all, h, first.cut, e);
	if (!r && state_lost_writes(&first)) {
		r = shrink_nothing(&s, e);
		if (!r)
			r = shrink_level(&s, false, e);
		if (!r)
			r = shrink_level(&s, true, e);
	}
	state_free(&first);
	state_free(&s.all);
	return r < 0 ? r : 0;
}
