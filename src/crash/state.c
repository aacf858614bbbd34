/* SPDX-License-Identifier: BSD-2-Clause */
/* See state.h. */
#include "crash/state.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/req.h"

/* Units that a write touches; a discard is not torn. */
static uint64_t write_units(const struct history *h, const struct history_write *w)
{
	uint64_t each = h->unit / DM_SECTOR;

	return w->data && w->count ? (w->sector + w->count - 1) / each - w->sector / each + 1 : 1;
}

static void pieces_cut(struct pieces *p, const struct history *h, size_t write, uint64_t units)
{
	const struct history_write *w = &h->writes[write];
	uint64_t each = h->unit / DM_SECTOR, at = w->sector, end = w->sector + w->count, next;
	uint32_t part = 0;

	for (; units; units--, at = next) {
		next = units == 1 ? end : (at / each + 1) * each;
		p->at[p->n++] = (struct piece_of_cut){ .write = (uint32_t)write, .candidate = p->candidates, .part = w->data ? ++part : 0,
						       .sector = at, .count = next - at };
	}
}

int pieces_of(struct pieces *p, const struct history *h, const struct history_cut *c, struct err *e)
{
	uint64_t n = 0;
	size_t w;

	for (w = c->first; w < c->last; w++)
		if (history_is_candidate(h, c, w))
			n += write_units(h, &h->writes[w]);
	*p = (struct pieces){ .at = calloc(n + 1, sizeof(*p->at)) };
	if (!p->at)
		return err_set(e, -ENOMEM, "no memory for %llu units that a power cut may tear", (unsigned long long)n);
	for (w = c->first; w < c->last; w++)
		if (history_is_candidate(h, c, w)) {
			p->candidates++;
			pieces_cut(p, h, w, write_units(h, &h->writes[w]));
		}
	return 0;
}

void pieces_free(struct pieces *p)
{
	free(p->at);
	p->at = NULL;
}

int state_new(struct state *s, const struct history *h, const struct history_cut *c, struct err *e)
{
	*s = (struct state){ .history = h, .cut = c };
	if (pieces_of(&s->pieces, h, c, e))
		return e->code;
	s->lost = calloc(s->pieces.n + 1, sizeof(*s->lost));
	if (s->lost)
		return 0;
	pieces_free(&s->pieces);
	return err_set(e, -ENOMEM, "no memory for a state");
}

void state_free(struct state *s)
{
	pieces_free(&s->pieces);
	free(s->lost);
	s->lost = NULL;
}

/* One number, not 0, of at most MOST. */
static bool state_number(const char **at, uint32_t most, uint32_t *out)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	v = strtoul(*at, &end, 10);
	*at = end;
	*out = (uint32_t)v;
	return v && v <= most;
}

/* The first piece of a candidate. */
static size_t state_first(const struct state *s, uint32_t candidate)
{
	size_t low = 0, high = s->pieces.n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (s->pieces.at[middle].candidate < candidate)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Loses candidates FROM to TO, or only PART of it. False: there is no such part. */
static bool state_lose(struct state *s, uint32_t from, uint32_t to, uint32_t part)
{
	bool any = false;
	size_t i;

	for (i = state_first(s, from); i < s->pieces.n && s->pieces.at[i].candidate <= to; i++)
		if (!part || s->pieces.at[i].part == part)
			any = s->lost[i] = true;
	return any;
}

static bool state_take_item(struct state *s, const char **at)
{
	uint32_t from, to, part = 0;

	if (!state_number(at, s->pieces.candidates, &from))
		return false;
	to = from;
	if (**at == '-') {
		(*at)++;
		if (!state_number(at, s->pieces.candidates, &to) || to < from)
			return false;
	} else if (**at == '.') {
		(*at)++;
		if (!state_number(at, UINT32_MAX, &part))
			return false;
	}
	return state_lose(s, from, to, part);
}

static bool state_take_list(struct state *s, const char *at)
{
	if (!strcmp(at, "all")) {
		if (s->pieces.n)
			state_lose(s, 1, s->pieces.candidates, 0);
		return true;
	}
	while (state_take_item(s, &at)) {
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
	return false;
}

int state_parse(struct state *s, const struct history *h, const char *name, struct err *e)
{
	char *end;
	unsigned long cut;

	if (!strcmp(name, "after"))
		return state_new(s, h, &h->cuts[h->n_cuts], e);
	cut = isdigit((unsigned char)*name) ? strtoul(name, &end, 10) : h->n_cuts;

	if (cut >= h->n_cuts || (*end && *end != '-'))
		return err_set(e, -EINVAL, "'%s' is not a state: it begins with the number of a cut, 0 to %zu", name, h->n_cuts - 1);
	if (state_new(s, h, &h->cuts[cut], e))
		return e->code;
	if (!*end || state_take_list(s, end + 1))
		return 0;
	err_set(e, -EINVAL, "'%s' is not a state: after the - there should be 'all', or a list such as 2,4-6,8.1 of the %u writes that may be "
		"lost in cut %lu", name, s->pieces.candidates, cut);
	state_free(s);
	return e->code;
}

/* The pieces of the candidate that I begins: where they end, and how many are lost. */
static size_t state_candidate(const struct state *s, size_t i, size_t *lost)
{
	uint32_t candidate = s->pieces.at[i].candidate;

	for (*lost = 0; i < s->pieces.n && s->pieces.at[i].candidate == candidate; i++)
		*lost += s->lost[i];
	return i;
}

size_t state_lost_writes(const struct state *s)
{
	size_t i = 0, lost, n = 0;

	while (i < s->pieces.n) {
		i = state_candidate(s, i, &lost);
		n += lost != 0;
	}
	return n;
}

static bool state_is_all(const struct state *s)
{
	size_t i;

	for (i = 0; i < s->pieces.n; i++)
		if (!s->lost[i])
			return false;
	return s->pieces.n != 0;
}

/* Candidates FROM to TO are lost as a whole. */
static void state_name_run(uint32_t from, uint32_t to, struct text *out, char *separator)
{
	if (!from)
		return;
	text_printf(out, to > from ? "%c%u-%u" : "%c%u", *separator, from, to);
	*separator = ',';
}

static void state_name_parts(const struct state *s, size_t i, size_t end, struct text *out, char *separator)
{
	for (; i < end; i++)
		if (s->lost[i]) {
			text_printf(out, "%c%u.%u", *separator, s->pieces.at[i].candidate, s->pieces.at[i].part);
			*separator = ',';
		}
}

static void state_name_list(const struct state *s, struct text *out)
{
	uint32_t from = 0, to = 0;
	char separator = '-';
	size_t i, end, lost;

	for (i = 0; i < s->pieces.n; i = end) {
		end = state_candidate(s, i, &lost);
		if (lost == end - i) {
			from = from ? from : s->pieces.at[i].candidate;
			to = s->pieces.at[i].candidate;
			continue;
		}
		state_name_run(from, to, out, &separator);
		from = 0;
		state_name_parts(s, i, end, out, &separator);
	}
	state_name_run(from, to, out, &separator);
}

void state_name(const struct state *s, struct text *out)
{
	if (s->cut->kind == CUT_AFTER) {
		text_add(out, "after");
		return;
	}
	text_printf(out, "%zu", (size_t)(s->cut - s->history->cuts));
	if (state_is_all(s))
		text_add(out, "-all");
	else
		state_name_list(s, out);
}
