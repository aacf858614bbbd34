/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pieces the promise lets be lost together: all of a unit from some piece on. */
#include "crash/state.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/req.h"
#include "targets/powercut/survive.h"

/* Units by number, each with the newest piece that is there: an open table, for one pass. */
struct units {
	struct unit {
		uint64_t key;		/* number, plus 1 */
		uint64_t rank;
		size_t newest;		/* index, plus 1 */
	} *at;
	size_t mask;
};

static int units_new(struct units *u, size_t pieces, struct err *e)
{
	size_t room = 16;

	while (room < 2 * pieces)
		room *= 2;
	u->mask = room - 1;
	u->at = calloc(room, sizeof(*u->at));
	return u->at ? 0 : err_set(e, -ENOMEM, "no memory for a state");
}

static struct unit *units_find(const struct units *u, uint64_t unit)
{
	size_t i = (size_t)((unit * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & u->mask;

	while (u->at[i].key && u->at[i].key != unit + 1)
		i = (i + 1) & u->mask;
	u->at[i].key = unit + 1;
	return &u->at[i];
}

static struct unit *units_of(const struct units *u, const struct state *s, size_t i)
{
	return units_find(u, s->pieces.at[i].sector / (s->history->unit / DM_SECTOR));
}

int state_settle(struct state *s, struct err *e)
{
	struct units u;
	size_t i;

	if (units_new(&u, s->pieces.n, e))
		return e->code;
	for (i = s->pieces.n; i--;) {
		struct unit *unit = s->pieces.at[i].part ? units_of(&u, s, i) : NULL;

		if (unit && !s->lost[i])
			unit->newest = i + 1;
		else if (unit && unit->newest)
			s->lost[i] = false;
	}
	free(u.at);
	return 0;
}

/* As a request of the model. A discard is one of one unit. */
static struct survive_req draw_request(const struct state *s, size_t i)
{
	const struct piece_of_cut *p = &s->pieces.at[i];
	const struct history_write *w = &s->history->writes[p->write];
	uint64_t each = s->history->unit / DM_SECTOR, first = w->sector / each;

	return (struct survive_req){ .number = p->candidate, .first = first,
				     .units = p->part ? (w->sector + w->count - 1) / each - first + 1 : 1 };
}

static uint64_t draw_rank(const struct state *s, const struct survive_draw *d, size_t i)
{
	const struct survive_req r = draw_request(s, i);
	const struct piece_of_cut *p = &s->pieces.at[i];

	return survive_rank(d, &r, r.first + (p->part ? p->part - 1 : 0));
}

static void draw_newest(const struct state *s, const struct survive_draw *d, const struct units *u)
{
	uint64_t rank;
	size_t i;

	for (i = 0; i < s->pieces.n; i++) {
		struct unit *unit = s->pieces.at[i].part ? units_of(u, s, i) : NULL;

		rank = draw_rank(s, d, i);
		if (!unit) {
			s->lost[i] = !rank;
		} else if (rank > unit->rank) {
			unit->rank = rank;
			unit->newest = i + 1;
		}
	}
}

int state_draw(struct state *s, uint64_t seed, struct err *e)
{
	struct survive_draw d;
	struct units u;
	size_t i;

	if (!s->pieces.n)
		return 0;
	if (units_new(&u, s->pieces.n, e))
		return e->code;
	survive_draw(&d, SURVIVE_ANY, seed, 1, s->pieces.candidates);
	draw_newest(s, &d, &u);
	for (i = 0; i < s->pieces.n; i++)
		if (s->pieces.at[i].part)
			s->lost[i] = i >= units_of(&u, s, i)->newest;
	free(u.at);
	return 0;
}
