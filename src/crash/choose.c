/* SPDX-License-Identifier: BSD-2-Clause */
/* See choose.h. The random states are shared out evenly among the cuts that have as many. */
#include "crash/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crash/fingerprint.h"
#include "targets/powercut/survive.h"

#define CHOOSE_TRIES 4u		/* draws for each state that is wanted: others may be the same */

struct choice {
	const struct history *history;
	const struct choose_options *o;
	struct chosen *out;
	struct fingerprints *prints;
	uint64_t *seen;			/* fingerprints: an open table */
	size_t n_seen, room;
};

static int choice_lacks(struct err *e)
{
	return err_set(e, -ENOMEM, "no memory for the states");
}

/* The I'th of the cuts that are tried; the end is always one. */
static size_t choice_cut(const struct choice *c, size_t i, size_t n)
{
	return n == c->history->n_cuts ? i : (size_t)((i + 1) * c->history->n_cuts / n) - 1;
}

static bool seen_put(uint64_t *table, size_t room, uint64_t print)
{
	size_t i = (size_t)print & (room - 1);

	while (table[i] && table[i] != print)
		i = (i + 1) & (room - 1);
	if (table[i])
		return false;
	table[i] = print;
	return true;
}

static int seen_grow(struct choice *c)
{
	size_t room = c->room ? 2 * c->room : 1024, i;
	uint64_t *table = calloc(room, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (i = 0; i < c->room; i++)
		if (c->seen[i])
			seen_put(table, room, c->seen[i]);
	free(c->seen);
	c->seen = table;
	c->room = room;
	return 0;
}

/* 1: it is new, and chosen. 0: there was the same. */
static int choice_take(struct choice *c, const struct state *s, struct err *e)
{
	struct text name = TEXT_INIT;
	char **names = c->out->n & (c->out->n - 1) ? c->out->names : reallocarray(c->out->names, c->out->n ? 2 * c->out->n : 1, sizeof(*names));

	if (!names || (2 * c->n_seen >= c->room && seen_grow(c)))
		return choice_lacks(e);
	c->out->names = names;
	if (!seen_put(c->seen, c->room, fingerprint(c->prints, s) | 1)) {
		c->out->same++;
		return 0;
	}
	c->n_seen++;
	state_name(s, &name);
	names[c->out->n] = text_take(&name);
	return names[c->out->n] ? (c->out->n++, 1) : choice_lacks(e);
}

static int choice_ends(struct choice *c, struct state *s, struct err *e)
{
	size_t i;
	int r = choice_take(c, s, e);

	for (i = 0; i < s->pieces.n; i++)
		s->lost[i] = true;
	return r < 0 || !s->pieces.n ? r : choice_take(c, s, e);
}

/* All there are of the cut. How many were new. */
static int64_t choice_enumerate(struct choice *c, struct state *s, struct err *e)
{
	uint64_t set, got = 0;
	size_t i;
	int r = 0;

	for (set = 1; r >= 0 && set + 1 < UINT64_C(1) << s->pieces.n; set++) {
		for (i = 0; i < s->pieces.n; i++)
			s->lost[i] = set >> i & 1;
		r = state_settle(s, e);
		if (!r)
			r = choice_take(c, s, e);
		got += r > 0;
	}
	return r < 0 ? r : (int64_t)got;
}

/* WANTED more of the cut; how many there were. */
static int64_t choice_draw(struct choice *c, struct state *s, uint64_t wanted, struct err *e)
{
	uint64_t seed = survive_next_seed(c->o->seed ^ (uint64_t)(s->cut - c->history->cuts) << 32), tries = CHOOSE_TRIES * wanted, got = 0;
	int r = 0;

	for (; r >= 0 && got < wanted && tries; tries--) {
		seed = survive_next_seed(seed);
		r = state_draw(s, seed, e);
		if (!r)
			r = choice_take(c, s, e);
		got += r > 0;
	}
	return r < 0 ? r : (int64_t)got;
}

/* How many states there are between the ends, at most. */
static uint64_t choice_most(size_t pieces)
{
	return pieces < 2 ? 0 : pieces > 40 ? UINT64_C(1) << 40 : (UINT64_C(1) << pieces) - 2;
}

/* What the cuts give together if none gives more than EACH. */
static uint64_t choice_sum(const uint64_t *most, size_t n, uint64_t each)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += most[i] < each ? most[i] : each;
	return sum;
}

/* The largest number that each cut may give at most, so that they do not give more than is wanted. */
static uint64_t choice_share(const struct choice *c, const uint64_t *most, size_t n)
{
	uint64_t low = 0, high = c->o->states, middle;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (choice_sum(most, n, middle) <= c->o->states)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* WANTED may be more than the cut has. How many it gave, or -errno. */
static int64_t choice_of_cut(struct choice *c, const struct history_cut *cut, uint64_t wanted, uint64_t most, struct err *e)
{
	struct state s;
	int64_t got = 0;

	if (state_new(&s, c->history, cut, e))
		return e->code;
	if (fingerprints_go_to(c->prints, cut, &s.pieces, e) || choice_ends(c, &s, e) < 0)
		got = e->code;
	else
		got = wanted < most ? choice_draw(c, &s, wanted, e) : choice_enumerate(c, &s, e);
	state_free(&s);
	return got;
}

/* What the cuts before have not given, those that come later may. */
static int choice_run(struct choice *c, const uint64_t *most, size_t n, struct err *e)
{
	uint64_t share = choice_share(c, most, n), rest = c->o->states - choice_sum(most, n, share), due = 0;
	int64_t got;
	size_t i;

	for (i = 0; i < n; i++) {
		due += most[i] < share ? most[i] : share;
		if (rest && most[i] > share) {
			due++;
			rest--;
		}
		got = choice_of_cut(c, &c->history->cuts[choice_cut(c, i, n)], due, most[i], e);
		if (got < 0)
			return (int)got;
		due -= (uint64_t)got;
	}
	return 0;
}

static int choice_count(const struct choice *c, uint64_t *most, size_t n, struct err *e)
{
	struct pieces p;
	size_t i;

	for (i = 0; i < n; i++) {
		if (pieces_of(&p, c->history, &c->history->cuts[choice_cut(c, i, n)], e))
			return e->code;
		most[i] = choice_most(p.n);
		pieces_free(&p);
	}
	return 0;
}

int choose(struct chosen *out, const struct history *h, const uint8_t *base, const struct choose_options *o, struct err *e)
{
	struct choice c = { .history = h, .o = o, .out = out };
	size_t n = o->points && o->points < h->n_cuts ? (size_t)o->points : h->n_cuts;
	uint64_t *most = calloc(n, sizeof(*most));
	int r = most ? fingerprints_new(&c.prints, h, base, e) : choice_lacks(e);

	*out = (struct chosen){ .n = 0 };
	if (!r)
		r = choice_count(&c, most, n, e);
	if (!r)
		r = choice_run(&c, most, n, e);
	if (r)
		chosen_free(out);
	fingerprints_free(c.prints);
	free(c.seen);
	free(most);
	return r;
}

void chosen_free(struct chosen *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->names[i]);
	free(c->names);
	*c = (struct chosen){ .n = 0 };
}
