/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See building.h.
 *
 *   COLLECT -> OPEN -> MAKE -> TIDY      MAKE -> OPEN: a line wants a word that was not collected
 *
 * If a step fails, or the command is given up, TIDY follows, which frees what exists of the table. Each step is short;
 * after some milliseconds the loop gets a turn.
 */
#include "core/table/building.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/words.h"
#include "core/table/build.h"
#include "core/table/opening.h"

#define BUILDING_SLICE (4 * UINT64_C(1000000))	/* nanoseconds */
#define BUILDING_STEPS 32u	/* between looks at the clock */
#define BUILDING_OPENS 32u	/* concurrent openings */
#define BUILDING_LARGE 65536u	/* lines of a table for which it pays to give memory back to the system */
#define BUILDING_BULK 8u	/* words; a build with more shares the helper threads with other large ones */

struct dm_building {
	struct dm_cmd *cmd;
	dm_built *then;
	struct dm_explain explain;
	struct dm_build *build;
	enum { COLLECT, OPEN, MAKE, TIDY } phase;
	const char *at;			/* the next line of the text, NULL after the last one ... */
	size_t i;			/* ... or the next record */
	struct loop_work more;
	bool running;			/* in building_run(), which continues when something ends meanwhile */
	unsigned opening;		/* unfinished openings */
	bool refused;			/* one has failed: none after it is wanted */
	struct building_place {
		struct dm_building *building;
		struct dm_build_word *word;
		struct dm_opening *opening;	/* NULL: free */
	} places[BUILDING_OPENS];
};

static void building_rewind(struct dm_building *g)
{
	g->at = g->cmd->text;
	g->i = 0;
}

/* Reads one more line: 0, DM_BUILD_WAITS, or the build has failed. *END: there was none. */
static int building_line(struct dm_building *g, bool *end)
{
	const struct dm_cmd *c = g->cmd;
	const char *stop;
	int r;

	*end = c->text ? !g->at : g->i == c->n_lines;
	if (*end)
		return 0;
	if (!c->text) {
		const struct dm_line *l = &c->lines[g->i];

		r = dm_build_line(g->build, l->start, l->len, l->type, l->params);
		g->i += r != DM_BUILD_WAITS;
		return r;
	}
	stop = words_line(g->at);
	r = dm_build_text_line(g->build, g->at, (size_t)(stop - g->at));
	if (r != DM_BUILD_WAITS)
		g->at = *stop ? stop + 1 : NULL;
	return r;
}

/* If a line is wrong, collecting ends: nothing after it is wanted. */
static bool building_collect(struct dm_building *g)
{
	bool end;

	if (!building_line(g, &end) && !end)
		return true;
	dm_build_again(g->build);
	building_rewind(g);
	g->phase = OPEN;
	return true;
}

static void building_run(struct dm_building *g);

/* What follows a word that could not be opened is not needed. */
static void building_refuse(struct dm_building *g, const struct dm_build_word *failed)
{
	unsigned i;

	g->refused = true;
	for (i = 0; i < BUILDING_OPENS; i++) {
		struct building_place *p = &g->places[i];

		if (!p->opening || p->word->at < failed->at)
			continue;
		dm_opening_drop(p->opening);
		p->opening = NULL;
		g->opening--;
	}
}

static void building_opened(struct dm_opening *o)
{
	struct building_place *p = o->owner;
	struct dm_building *g = p->building;

	dm_build_opened(p->word, o);
	dm_opening_drop(o);
	p->opening = NULL;
	g->opening--;
	if (p->word->code)
		building_refuse(g, p->word);
	if (!g->running)
		building_run(g);
}

static struct building_place *building_free_place(struct dm_building *g)
{
	unsigned i = 0;

	while (g->places[i].opening)
		i++;
	return &g->places[i];
}

static void building_open_next(struct dm_building *g)
{
	struct building_place *p = building_free_place(g);

	p->word = container(list_take(&g->build->wanted), struct dm_build_word, node);
	p->opening = dm_build_opening(g->build, p->word);
	if (!p->opening) {
		p->word->ready = true;
		p->word->code = -ENOMEM;
		building_refuse(g, p->word);
		return;
	}
	p->building = g;
	p->opening->owner = p;
	p->opening->done = building_opened;
	p->opening->bulk = g->build->words.n > BUILDING_BULK;
	g->opening++;
	dm_opening_start(p->opening);
}

/* False: there is nothing to do but wait. */
static bool building_open(struct dm_building *g)
{
	bool all = g->refused || list_empty(&g->build->wanted);

	if (!all && g->opening < BUILDING_OPENS)
		building_open_next(g);
	else if (all && !g->opening)
		g->phase = MAKE;
	else
		return false;
	return true;
}

static bool building_make(struct dm_building *g)
{
	bool end;
	int r = building_line(g, &end);

	if (r == DM_BUILD_WAITS)
		g->phase = OPEN;
	else if (r || end)
		g->phase = TIDY;
	return true;
}

static bool building_step(struct dm_building *g)
{
	switch (g->phase) {
	case COLLECT:
		return building_collect(g);
	case OPEN:
		return building_open(g);
	case MAKE:
		return building_make(g);
	default:
		return dm_build_tidy(g->build);
	}
}

/* Before the table is recorded: its text may be as large as it is, and so may what arrays that have grown left in the heap. */
static void building_give_back(struct dm_cmd *c, const struct dm_table *table)
{
	if (c->text_read)
		c->text_read(c);
	if (table && table->n >= BUILDING_LARGE)
		malloc_trim(0);
}

static void building_end(struct dm_building *g)
{
	struct dm_cmd *c = g->cmd;
	struct dm_table *table;

	list_remove(&g->more.node);
	dm_pending_done(c);
	dm_build_end(g->build, &table);
	building_give_back(c, table);
	g->then(c, table, c->verb == DM_DO_CHECK ? &g->explain : NULL);
	text_free(&g->explain.lines);
	text_free(&g->explain.uses);
	free(g);
}

static bool building_steps(struct dm_building *g)
{
	unsigned i;

	for (i = 0; i < BUILDING_STEPS; i++)
		if (!building_step(g))
			return false;
	return true;
}

static void building_run(struct dm_building *g)
{
	uint64_t until = clock_now(&clock_monotonic) + BUILDING_SLICE;
	bool more;

	g->running = true;
	while ((more = building_steps(g)) && clock_now(&clock_monotonic) < until)
		;
	g->running = false;
	if (more)
		loop_defer(g->cmd->world->loop, &g->more);
	else if (g->phase == TIDY)
		building_end(g);
}

static void building_go_on(struct loop_work *w)
{
	building_run(container(w, struct dm_building, more));
}

static void building_give_up(struct dm_cmd *c)
{
	struct dm_building *g = c->pending;
	unsigned i;

	for (i = 0; i < BUILDING_OPENS; i++)
		if (g->places[i].opening) {
			dm_opening_drop(g->places[i].opening);
			g->places[i].opening = NULL;
		}
	g->opening = 0;
	g->build->failed = true;
	g->phase = TIDY;
	loop_defer(c->world->loop, &g->more);
}

static int building_begin(struct dm_building *g, struct dm_cmd *c)
{
	const struct dm_device *d = c->device;
	const struct dm_build_opts o = {
		.cmd = c, .cwd = c->cwd, .sizes = c->flags & DM_WITH_SIZES, .secret = c->flags & DM_WITH_SECRET,
		.device = c->device, .warnings = c->flags & DM_WITH_RECORDED ? NULL : &c->reply.warnings,
		.explain = c->verb == DM_DO_CHECK ? &g->explain : NULL,
		.readonly = (c->flags & DM_WITH_READONLY) || (d && d->readonly),
	};
	int r = dm_build_begin(&g->build, c->world, &o, &c->reply.err);

	if (r)
		return r;
	g->cmd = c;
	g->more.run = building_go_on;
	list_init(&g->more.node);
	g->build->collecting = true;
	building_rewind(g);
	return 0;
}

void dm_do_build(struct dm_cmd *c, dm_built *then)
{
	struct dm_building *g = calloc(1, sizeof(*g));

	if (!g)
		err_set(&c->reply.err, -ENOMEM, "no memory for a table");
	if (!g || building_begin(g, c)) {
		free(g);
		then(c, NULL, NULL);
		return;
	}
	g->then = then;
	dm_pending(c, g, building_give_up);
	building_run(g);
}
