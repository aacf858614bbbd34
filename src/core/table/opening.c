/* SPDX-License-Identifier: BSD-2-Clause */
/* See opening.h. */
#include "core/table/opening.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "core/command/command.h"
#include "core/table/at_hand.h"
#include "core/table/kept.h"
#include "core/world.h"

static void opening_free(struct dm_opening *o)
{
	dm_place_free(&o->place);
	free(o->found.parts);
	if (o->kept >= 0)
		close(o->kept);
	if (o->at_hand >= 0)
		close(o->at_hand);
	free(o);
}

/* Frees what the type keeps; any thread. */
static void opening_forget(struct dm_opening *o)
{
	if (o->own)
		o->looked->forget(o);
	o->own = NULL;
}

static void opening_ended(struct dm_opening *o)
{
	timer_stop(&o->bound);
	list_remove(&o->node);
	list_remove(&o->joins);
	o->ended = true;
}

/* Reports the result, if it is still wanted. */
static void opening_tell(struct dm_opening *o)
{
	opening_ended(o);
	if (!o->dropped) {
		o->done(o);
		return;
	}
	if (o->store)
		dm_store_put(o->store);
	opening_free(o);
}

/* Openings that waited for another one continue: they find the store, or fail like it. */
static void opening_let_go(struct list *joined, const struct err *e)
{
	struct list *n;

	while ((n = list_take(joined))) {
		struct dm_opening *j = container(n, struct dm_opening, joins);

		if (e->code) {
			j->said = *e;
			dm_opening_end(j, NULL);
		} else {
			j->then(j);
		}
	}
}

/* The callbacks may drop O, and any of those that wait for it. */
void dm_opening_end(struct dm_opening *o, struct dm_store *s)
{
	const struct err e = o->said;
	struct list joined, *n;

	list_init(&joined);
	while ((n = list_take(&o->joined)))
		list_append(&joined, n);
	if (s)
		dm_store_ref(s);
	opening_forget(o);
	o->leads = false;
	o->store = s;
	o->err = e;
	opening_tell(o);
	opening_let_go(&joined, &e);
	if (s)
		dm_store_put(s);
}

void dm_openings_go_on(struct list *joined)
{
	const struct err none = ERR_INIT;

	opening_let_go(joined, &none);
}

static void opening_fail(struct dm_opening *o, int code, const char *why)
{
	err_set(&o->said, code, "cannot open '%.800s': %s", o->spec.word, why);
	dm_opening_end(o, NULL);
}

static void opening_called(struct blocking_call *c)
{
	struct dm_opening *o = container(c, struct dm_opening, call);

	if (!o->dropped || !list_empty(&o->joined)) {
		o->then(o);
		return;
	}
	opening_forget(o);
	opening_ended(o);
	opening_free(o);
}

/* The world is gone: O belongs to nobody and is in no list. */
static void opening_lost(struct blocking_call *c)
{
	struct dm_opening *o = container(c, struct dm_opening, call);

	opening_forget(o);
	opening_free(o);
}

static void opening_work(struct blocking_call *c)
{
	struct dm_opening *o = container(c, struct dm_opening, call);

	o->work(o);
}

void dm_opening_call(struct dm_opening *o, void (*work)(struct dm_opening *o), void (*then)(struct dm_opening *o))
{
	o->work = work;
	o->then = then;
	if (o->at_hand >= 0) {
		o->work(o);
		opening_called(&o->call);
		return;
	}
	o->call.bulk = o->bulk;
	o->call.call = opening_work;
	o->call.done = opening_called;
	o->call.drop = opening_lost;
	if (blocking_start(o->spec.world->helpers, &o->call))
		opening_fail(o, -EAGAIN, "the system cannot start a thread for it");
}

struct dm_opening *dm_opening_like(struct dm_opening *o, bool (*same)(const struct dm_opening *a, const struct dm_opening *b))
{
	struct list *n, *next;

	list_each(n, next, &o->spec.world->openings) {
		struct dm_opening *other = container(n, struct dm_opening, node);

		if (other != o && other->leads && other->type == o->type && same(other, o))
			return other;
	}
	return NULL;
}

void dm_opening_join(struct dm_opening *o, struct dm_opening *leader)
{
	list_append(&leader->joined, &o->joins);
}

/* "NAME:" and "NAME,option" name a type; any other word is offered to all types. */
static const struct dm_store_type *opening_claimer(const struct dm_store_spec *w)
{
	const struct dm_store_type *const *t;

	for (t = w->world->store_types; *t; t++)
		if ((*t)->claims && (*t)->claims(w))
			return *t;
	return NULL;
}

/* If another type than O's has looked at the word, its result is dropped. */
static void opening_forget_look(struct dm_opening *o)
{
	if (!o->looked || o->looked == o->type || o->no_memory)
		return;
	opening_forget(o);
	o->looked = NULL;
	o->said = (struct err)ERR_INIT;
}

static void opening_looked(struct dm_opening *o);
static void opening_go_on(struct dm_opening *o);

static void opening_settled(struct dm_settle *s)
{
	struct dm_opening *o = container(s, struct dm_opening, settle);

	o->settling = false;
	if (!o->dropped) {
		opening_go_on(o);
		return;
	}
	opening_ended(o);
	opening_free(o);
}

/* Each that is taken is waited for once. */
static bool opening_settle(struct dm_opening *o)
{
	const struct dm_device *d = o->type->taken ? o->type->taken(&o->spec) : NULL;

	o->settling = d && d != o->settled && dm_settle_start(&o->settle, d, opening_settled);
	if (o->settling)
		o->settled = d;
	return o->settling;
}

/* On a helper thread. */
static void opening_look_as(struct dm_opening *o, const struct dm_store_type *t)
{
	o->looked = t;
	t->look(o);
}

static void opening_look_typed(struct dm_opening *o)
{
	opening_look_as(o, o->type);
}

/* What the word means is known: continues with that type. */
static void opening_go_on(struct dm_opening *o)
{
	if (o->said.code)
		dm_opening_end(o, NULL);
	else if (o->type->look && !o->looked)
		dm_opening_call(o, opening_look_typed, opening_looked);
	else if (o->type->start)
		o->type->start(o);
	else if (!opening_settle(o))
		opening_tell(o);
}

static void opening_looked(struct dm_opening *o)
{
	o->spec.place = &o->place;
	if (o->no_memory)
		err_set(&o->said, -ENOMEM, "no memory to look at '%.800s'", o->words);
	else if (!o->type)
		o->type = opening_claimer(&o->spec);
	opening_forget_look(o);
	if (!o->type && !o->no_memory)
		err_set(&o->said, -ENOENT, "'%.200s' is neither a file nor a mapped device", o->spec.word);
	opening_go_on(o);
}

/*
 * On a helper thread. The type that can look at the word does so here, except below /dev, where a session's paths
 * differ.
 */
static void opening_look(struct dm_opening *o)
{
	const struct dm_store_type *const *t;
	const char *word = o->spec.word + (*o->spec.word == ':');

	if (o->at_hand >= 0)
		o->place.exists = true;
	else
		o->no_memory = dm_place_look(&o->place, word, o->spec.cwd, o->spec.follow);
	if (o->no_memory || o->type || o->place.dev)
		return;
	for (t = o->spec.world->store_types; *t && !(*t)->look; t++)
		;
	if (*t)
		opening_look_as(o, *t);
}

/* MAJOR:MINOR is not a path, and the usual form in tables. */
static bool opening_is_number(const char *word)
{
	size_t major = strspn(word, "0123456789");

	return major && word[major] == ':' && word[major + 1 + strspn(word + major + 1, "0123456789")] == '\0';
}

/* Does it matter where the word leads as a path? Not if the type was named and looks at it itself. */
static bool opening_must_look(const struct dm_opening *o)
{
	return (!o->type || (o->type->open && o->type->claims)) && !opening_is_number(o->spec.word);
}

/* The caller gets an error; the call continues. */
static void opening_too_long(struct timer *t)
{
	struct dm_opening *o = container(t, struct dm_opening, bound);
	uint64_t seconds = o->spec.world->open_timeout / TIMERS_SECOND;

	list_remove(&o->joins);
	err_set(&o->err, -ETIMEDOUT, "'%.700s' could not be opened within %llu second%s: its file system does not answer",
		o->words, (unsigned long long)seconds, text_plural(seconds));
	o->ended = true;
	o->done(o);
}

struct dm_opening *dm_opening_new(const struct dm_store_spec *w)
{
	char *its = dm_place_of_caller(w->word, w->caller);
	size_t word = its ? strlen(its) + 1 : 0, cwd = w->cwd ? strlen(w->cwd) + 1 : 0;
	struct dm_opening *o = its ? malloc(sizeof(*o) + word + cwd) : NULL;

	if (!o) {
		free(its);
		return NULL;
	}
	memset(o, 0, sizeof(*o));
	o->spec = *w;
	o->spec.err = &o->said;
	o->spec.word = memcpy(o->words, its, word);
	free(its);
	o->kept = -1;
	o->at_hand = -1;
	o->spec.cwd = cwd ? memcpy(o->words + word, w->cwd, cwd) : NULL;
	o->spec.follow = w->cmd && w->cmd->resolve;
	timer_init(&o->bound, opening_too_long);
	list_init(&o->node);
	list_init(&o->joined);
	list_init(&o->joins);
	list_init(&o->call.node);
	return o;
}

/* One of very many is better opened beside others; and partitions may be described anywhere on a disk. */
static void opening_reach(struct dm_opening *o)
{
	char path[PATH_MAX];

	if (!o->bulk && !o->type && *o->spec.word != ':' && opening_must_look(o) && o->kept < 0 && !o->spec.follow &&
	    !(o->wanted & DM_FIND_PARTS) && dm_place_path(o->spec.word, o->spec.cwd, path))
		o->at_hand = dm_at_hand(path, o->spec.caller, &o->mount);
}

static void opening_kept(struct dm_opening *o)
{
	const struct dm_cmd *c = o->spec.cmd;

	if (!c || !(c->flags & DM_WITH_RECORDED))
		return;
	o->kept = dm_kept_copy(o->words, o->spec.readonly);
	if (o->kept >= 0 || !c->was)
		return;
	o->kept = dm_kept_known(c->was, o->words, o->spec.readonly);
	o->nameless = o->kept >= 0;
}

void dm_opening_start(struct dm_opening *o)
{
	struct dm_world *w = o->spec.world;

	opening_kept(o);
	o->rest = o->spec.word;
	o->type = dm_store_prefix(&o->spec, &o->rest);
	o->spec.word = o->rest;
	list_append(&w->openings, &o->node);
	opening_reach(o);
	if (w->open_timeout && o->at_hand < 0)
		loop_timer(w->loop, &o->bound, w->open_timeout);
	if (opening_must_look(o))
		dm_opening_call(o, opening_look, opening_looked);
	else
		opening_looked(o);
}

void dm_opening_drop(struct dm_opening *o)
{
	if (o->store)
		dm_store_put(o->store);
	o->store = NULL;
	timer_stop(&o->bound);
	o->dropped = true;
	o->spec.cmd = NULL;
	if (o->settling || !list_empty(&o->joined) || !blocking_give_up(o->spec.world->helpers, &o->call))
		return;
	opening_forget(o);
	opening_ended(o);
	opening_free(o);
}
