/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages @stats_... as on Linux: they are handled by the device itself, whatever its table. See regions.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/command/do.h"
#include "core/path/regions.h"
#include "core/world.h"

#define STATS_ID 16	/* bytes of a region's number as text */
#define HISTOGRAM "histogram:"

/* A message being handled. */
struct stats_call {
	struct dm_cmd *cmd;
	struct dm_device *d;
	int argc;
	char **argv;		/* after the verb */
	struct text *out;
	struct err *e;
};

/* The region that is to be created. */
struct stats_spec {
	uint64_t start, len, step;
	bool precise;
	char *histogram;
	const char *program, *aux;
};

static int stats_usage(struct stats_call *c, const char *usage)
{
	return err_set(c->e, -EINVAL, "the usage of this message is: %s", usage);
}

static char *stats_next(struct stats_call *c)
{
	if (!c->argc)
		return NULL;
	c->argc--;
	return *c->argv++;
}

static bool spec_range(struct stats_call *c, struct stats_spec *w)
{
	const char *word = stats_next(c);
	char rest;

	if (!word)
		return false;
	if (!strcmp(word, "-")) {
		w->len = dm_device_sectors(c->d);
		w->len += !w->len;
		return true;
	}
	return sscanf(word, "%" SCNu64 "+%" SCNu64 "%c", &w->start, &w->len, &rest) == 2 && w->len &&
	       w->start + w->len > w->start;
}

static bool spec_step(struct stats_call *c, struct stats_spec *w)
{
	const char *word = stats_next(c);
	unsigned parts;
	char rest;

	if (!word)
		return false;
	if (sscanf(word, "/%u%c", &parts, &rest) != 1)
		return sscanf(word, "%" SCNu64 "%c", &w->step, &rest) == 1 && w->step;
	if (parts)
		w->step = w->len / parts + (w->len % parts != 0);
	return parts;
}

static bool spec_feature(struct stats_spec *w, char *word)
{
	if (!word)
		return false;
	if (!strcasecmp(word, "precise_timestamps"))
		w->precise = true;
	else if (!strncasecmp(word, HISTOGRAM, strlen(HISTOGRAM)) && !w->histogram)
		w->histogram = word + strlen(HISTOGRAM);
	else
		return false;
	return true;
}

/* A number of features and the features, if it is a number; then the program's name, and a word of its own. */
static bool spec_rest(struct stats_call *c, struct stats_spec *w)
{
	char *word = stats_next(c), rest;
	unsigned n;

	if (word && sscanf(word, "%u%c", &n, &rest) == 1) {
		while (n--)
			if (!spec_feature(w, stats_next(c)))
				return false;
		word = stats_next(c);
	}
	w->program = word ? word : "-";
	word = stats_next(c);
	w->aux = word ? word : "-";
	return !c->argc;
}

/* Counts the bounds in S and, with OUT, stores them. 0: S is not a list of bounds. */
static size_t spec_bounds(const char *s, uint64_t *out)
{
	uint64_t bound, last = 0;
	size_t n = 0;
	int len;

	do {
		if (sscanf(s, "%" SCNu64 "%n", &bound, &len) != 1 || *s == '-' || bound <= last)
			return 0;
		if (out)
			out[n] = bound;
		n++;
		last = bound;
		s += len;
	} while (*s++ == ',');
	return s[-1] ? 0 : n;
}

static struct dm_region *spec_region(const struct dm_device *d, const struct stats_spec *w, size_t n_bounds)
{
	struct dm_region *g = dm_region_new(d->world->n_io, (w->len - 1) / w->step + 1, n_bounds);

	if (!g)
		return NULL;
	g->start = w->start;
	g->end = w->start + w->len;
	g->step = w->step;
	g->precise = w->precise;
	g->program = strdup(w->program);
	g->aux = strdup(w->aux);
	g->n_bounds = n_bounds;
	g->bounds = calloc(n_bounds + 1, sizeof(*g->bounds));
	if (g->program && g->aux && g->bounds) {
		if (n_bounds)
			spec_bounds(w->histogram, g->bounds);
		return g;
	}
	dm_region_free(g);
	return NULL;
}

/* The regions of the device are others by now: recorded with the answer to the message. */
static int stats_record(struct stats_call *c)
{
	int r;

	if (c->cmd)
		c->cmd->reply.answer = c->out->s;	/* NULL: there is none */
	dm_record_put(c->d);
	r = dm_record_commit(c->d->world, c->cmd, c->e);
	if (c->cmd)
		c->cmd->reply.answer = NULL;
	return r;
}

static int stats_create(struct stats_call *c)
{
	struct stats_spec w = { 0 };
	struct dm_regions *room;
	struct dm_region *g;
	size_t n = 0;

	if (!spec_range(c, &w) || !spec_step(c, &w) || !spec_rest(c, &w) ||
	    (w.histogram && !(n = spec_bounds(w.histogram, NULL))))
		return stats_usage(c, "@stats_create -|START+LENGTH STEP|/PARTS [N FEATURE...] [PROGRAM [WORD]] (features: "
				   "precise_timestamps, histogram:N,N,... rising)");
	if (dm_regions_room(c->d, &room))
		return err_set(c->e, -ENOMEM, "no memory to count so many areas");
	g = spec_region(c->d, &w, n);
	if (!g || !text_room(c->out, STATS_ID) || dm_regions_add(c->d, g)) {
		if (g)
			dm_region_free(g);
		free(room);
		return err_set(c->e, -ENOMEM, "no memory to count so many areas");
	}
	text_printf(c->out, "%u", g->id);
	if (!stats_record(c)) {
		free(room);
		return 0;
	}
	text_clear(c->out);
	dm_regions_remove(c->d, g, room);
	return c->e->code;
}

/* The region that the next word names: 0, -EINVAL without a sentence, or -ENOENT with one. */
static int stats_region(struct stats_call *c, struct dm_region **out)
{
	const char *word = stats_next(c);
	unsigned id;
	char rest;

	if (!word || *word == '-' || sscanf(word, "%u%c", &id, &rest) != 1)
		return -EINVAL;
	*out = dm_regions_find(c->d, id);
	return *out ? 0 : err_set(c->e, -ENOENT, "'%s' has no region %u", c->d->name, id);
}

static int stats_delete(struct stats_call *c)
{
	struct dm_regions *room;
	struct dm_region *g = NULL;
	int r = c->argc == 1 ? stats_region(c, &g) : -EINVAL;

	if (r == -EINVAL)
		return stats_usage(c, "@stats_delete REGION");
	if (r)
		return r;
	if (dm_regions_room(c->d, &room))
		return err_set(c->e, -ENOMEM, "no memory to delete a region");
	g->leaving = true;
	r = stats_record(c);
	if (!r) {
		dm_regions_remove(c->d, g, room);
		return 0;
	}
	g->leaving = false;
	free(room);
	return r;
}

static int stats_clear(struct stats_call *c)
{
	struct dm_region *g = NULL;
	int r = c->argc == 1 ? stats_region(c, &g) : -EINVAL;
	size_t i;

	if (r == -EINVAL)
		return stats_usage(c, "@stats_clear REGION");
	for (i = 0; !r && i < g->n_areas; i++)
		dm_region_clear(g, i);
	return r;
}

static void stats_list_region(const struct dm_region *g, struct text *out)
{
	size_t i;

	text_printf(out, "%u: %" PRIu64 "+%" PRIu64 " %" PRIu64 " %s %s%s", g->id, g->start, g->end - g->start, g->step,
		    g->program, g->aux, g->precise ? " precise_timestamps" : "");
	for (i = 0; i < g->n_bounds; i++)
		text_printf(out, "%s%" PRIu64, i ? "," : " " HISTOGRAM, g->bounds[i]);
	text_add(out, "\n");
}

static int stats_list(struct stats_call *c)
{
	const char *program = c->argc ? c->argv[0] : NULL;
	const struct dm_regions *all = c->d->regions;
	size_t i;

	if (c->argc > 1)
		return stats_usage(c, "@stats_list [PROGRAM]");
	text_add(c->out, "");
	for (i = 0; all && i < all->n; i++)
		if (!program || !strcmp(all->regions[i]->program, program))
			stats_list_region(all->regions[i], c->out);
	return 0;
}

/* N lines from line *FROM on, if these words are given. */
static int stats_lines(struct stats_call *c, uint64_t *from, uint64_t *n)
{
	const char *a = stats_next(c), *b = stats_next(c);
	char rest;

	*from = 0;
	*n = UINT64_MAX;
	if (!a)
		return 0;
	return b && !c->argc && sscanf(a, "%" SCNu64 "%c", from, &rest) == 1 && sscanf(b, "%" SCNu64 "%c", n, &rest) == 1
	       ? 0 : -EINVAL;
}

static int stats_print_lines(struct stats_call *c, bool clear)
{
	struct dm_region *g = NULL;
	uint64_t from, n, i;
	int r = stats_region(c, &g);

	if (!r)
		r = stats_lines(c, &from, &n);
	if (r == -EINVAL)
		return stats_usage(c, "@stats_print[_clear] REGION [FIRST_LINE LINES]");
	if (r)
		return r;
	text_add(c->out, "");
	for (i = from; i < g->n_areas && i - from < n; i++)
		dm_region_print(g, i, c->out);
	if (!clear)
		return 0;
	/* Counters that cannot be reported are not cleared. */
	if (c->out->failed || !dm_cmd_has_room(c->cmd, c->out->len))
		return err_set(c->e, -ENOMEM, "no memory for the answer; nothing was cleared");
	for (i = from; i < g->n_areas && i - from < n; i++)
		dm_region_clear(g, i);
	return 0;
}

static int stats_print(struct stats_call *c)
{
	return stats_print_lines(c, false);
}

static int stats_print_clear(struct stats_call *c)
{
	return stats_print_lines(c, true);
}

static int stats_set_aux(struct stats_call *c)
{
	struct dm_region *g = NULL;
	int r = c->argc == 2 ? stats_region(c, &g) : -EINVAL;
	char *aux, *was;

	if (r == -EINVAL)
		return stats_usage(c, "@stats_set_aux REGION WORD");
	if (r)
		return r;
	aux = strdup(stats_next(c));
	if (!aux)
		return err_set(c->e, -ENOMEM, "no memory for a word");
	was = g->aux;
	g->aux = aux;
	r = stats_record(c);
	if (r)
		g->aux = was;
	free(r ? aux : was);
	return r;
}

int dm_regions_message(struct dm_cmd *cmd, struct dm_device *d, int argc, char **argv, struct text *out, struct err *e)
{
	static const struct {
		const char *name;
		int (*run)(struct stats_call *c);
	} verbs[] = {
		{ "@stats_create", stats_create }, { "@stats_delete", stats_delete }, { "@stats_clear", stats_clear },
		{ "@stats_list", stats_list }, { "@stats_print", stats_print }, { "@stats_print_clear", stats_print_clear },
		{ "@stats_set_aux", stats_set_aux },
	};
	struct stats_call c = { cmd, d, argc - 1, argv + 1, out, e };
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcasecmp(argv[0], verbs[i].name))
			return verbs[i].run(&c);
	return err_set(e, -EINVAL, "'%.40s' is not a message for a device itself; those are @stats_create, _delete, _clear, _list, "
		       "_print, _print_clear, _set_aux and @cancel_deferred_remove", argv[0]);
}
