/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks of tables through their targets' hooks: see step.h. Control thread, but for dm_step_done(). */
#include "core/device/step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/table/table.h"
#include "core/world.h"

enum hook { HOOK_PRERESUME, HOOK_RESUME, HOOK_PRESUSPEND, HOOK_POSTSUSPEND, HOOK_RETIRE };

static const char *const hook_names[] = { "preresume", "resume", "presuspend", "postsuspend", "retire" };

/* Where a table is on its way, and where it is to go. Made when it is first walked up. */
struct dm_walk {
	struct dm_table *table;
	struct dm_step step;
	struct err err;
	enum hook hook;			/* that the step runs, or ran last */
	size_t ready, running;		/* lines that have done preresume, and resume: always the first ones */
	size_t to_retire;		/* lines that have ever done preresume, and are still to be retired */
	enum dm_level want;
	bool up;			/* WANT is the least, not the most */
	unsigned how;
	dm_walked *then;		/* NULL: nobody waits */
	void *arg;
};

bool dm_type_has_hooks(const struct dm_type *type)
{
	return type->presuspend || type->postsuspend || type->preresume || type->resume || type->retire;
}

/* The next hook and its line, or false: W is where it is to be. */
static bool walk_next(const struct dm_walk *w, enum hook *hook, size_t *line)
{
	size_t n = w->table->n;

	if (w->up && w->want >= DM_READY && w->ready < n)
		*hook = HOOK_PRERESUME, *line = w->ready;
	else if (w->up && w->want >= DM_RUNNING && w->running < n)
		*hook = HOOK_RESUME, *line = w->running;
	else if (!w->up && w->want < DM_RUNNING && w->running)
		*hook = HOOK_PRESUSPEND, *line = w->running - 1;
	else if (!w->up && w->want < DM_READY && w->ready)
		*hook = HOOK_POSTSUSPEND, *line = w->ready - 1;
	else if (!w->up && w->want < DM_IDLE && w->to_retire)
		*hook = HOOK_RETIRE, *line = w->to_retire - 1;
	else
		return false;
	return true;
}

/* HOOK of one more line is done. */
static void walk_count(struct dm_walk *w, enum hook hook)
{
	switch (hook) {
	case HOOK_PRERESUME:
		w->ready++;
		if (w->to_retire < w->ready)
			w->to_retire = w->ready;
		break;
	case HOOK_RESUME:
		w->running++;
		break;
	case HOOK_PRESUSPEND:
		w->running--;
		break;
	case HOOK_POSTSUSPEND:
		w->ready--;
		break;
	case HOOK_RETIRE:
		w->to_retire--;
		break;
	}
}

static void (*hook_of(const struct dm_type *t, enum hook hook))(struct dm_target *t, struct dm_step *s)
{
	void (*const hooks[])(struct dm_target *t, struct dm_step *s) = {
		t->preresume, t->resume, t->presuspend, t->postsuspend, t->retire,
	};

	return hooks[hook];
}

static void walk_end(struct dm_walk *w, const struct err *e)
{
	dm_walked *then = w->then;

	w->then = NULL;
	if (then)
		then(w->arg, e);
	else if (e->code)
		log_warn("%s", e->text);
}

static void walk_on(struct dm_walk *w)
{
	static const struct err none = ERR_INIT;
	void (*run)(struct dm_target *t, struct dm_step *s);
	struct dm_step *s = &w->step;
	size_t line;

	while (walk_next(w, &w->hook, &line)) {
		run = hook_of(w->table->targets[line].type, w->hook);
		if (!run) {
			walk_count(w, w->hook);
			continue;
		}
		w->err.code = 0;
		s->target = &w->table->targets[line];
		s->name = hook_names[w->hook];
		s->noflush = w->how & DM_WALK_NOFLUSH;
		s->back = w->how & DM_WALK_BACK;
		s->hand_over = w->how & DM_WALK_HAND_OVER;
		s->err = &w->err;
		atomic_store(&s->given_up, false);
		run(s->target, s);
		return;
	}
	walk_end(w, &none);
}

/* A sentence for what the hook answered, and the line that it is about. */
static void walk_explain(struct dm_walk *w)
{
	const struct dm_target *t = w->step.target;

	if (!w->err.code)
		err_set(&w->err, w->step.result, "%s failed: %s", w->step.name, strerror(-w->step.result));
	w->err.code = w->step.result;
	err_prefix(&w->err, "%s at sector %llu: ", t->type->name, (unsigned long long)t->start);
}

/*
 * Back on the control thread. A hook that was given up and fails has not been run, and that is all: whoever waits by now
 * has asked later.
 */
static void walk_stepped(struct loop_msg *m)
{
	struct dm_walk *w = container(m, struct dm_walk, step.msg);
	bool failed = w->step.result, down = w->hook >= HOOK_PRESUSPEND;
	bool pass = down && (w->how & DM_WALK_ALL), stale = atomic_load(&w->step.given_up);

	if (failed)
		walk_explain(w);
	w->step.target = NULL;
	if (failed && !pass && !stale) {
		walk_end(w, &w->err);
		return;
	}
	if (failed)
		log_warn("%s", w->err.text);
	if (!failed || pass)
		walk_count(w, w->hook);
	walk_on(w);
}

void dm_step_done(struct dm_step *s, int err)
{
	s->result = err;
	s->msg.run = walk_stepped;
	loop_post(s->world->loop, &s->msg);
}

static void walk_begin(struct dm_table *t, enum dm_level level, bool up, unsigned how, dm_walked *then, void *arg)
{
	struct dm_walk *w = t->walk;

	w->want = level;
	w->up = up;
	w->how = how;
	w->then = then;
	w->arg = arg;
	if (!w->step.target)
		walk_on(w);
}

static int walk_make(struct dm_world *world, struct dm_table *t)
{
	t->walk = calloc(1, sizeof(*t->walk));
	if (!t->walk)
		return -ENOMEM;
	t->walk->table = t;
	t->walk->step.world = world;
	return 0;
}

void dm_walk_up(struct dm_world *w, struct dm_table *t, enum dm_level level, unsigned how, dm_walked *then, void *arg)
{
	struct err e = ERR_INIT;

	if (t && t->hooked && !t->walk && walk_make(w, t))
		err_set(&e, -ENOMEM, "no memory to start the targets of a table of %zu lines", t->n);
	if (!t || !t->walk)
		then(arg, &e);
	else
		walk_begin(t, level, true, how, then, arg);
}

void dm_walk_down(struct dm_table *t, enum dm_level level, unsigned how, dm_walked *then, void *arg)
{
	static const struct err none = ERR_INIT;

	if (!t || !t->walk)
		then(arg, &none);
	else
		walk_begin(t, level, false, how, then, arg);
}

void dm_walk_give_up(struct dm_table *t, enum dm_level level)
{
	struct dm_walk *w = t->walk;
	struct err e = ERR_INIT;

	if (!w || !w->step.target || !w->then)
		return;
	atomic_store(&w->step.given_up, true);
	w->up = !w->up;
	w->want = level;
	w->how = 0;
	err_set(&e, -EINTR, "cancelled");
	walk_end(w, &e);
}

bool dm_walk_is_running(const struct dm_table *t)
{
	return t && t->walk && t->walk->step.target;
}

const char *dm_walk_where(const struct dm_table *t, char *buffer, size_t size)
{
	*buffer = '\0';
	if (dm_walk_is_running(t)) {
		const struct dm_step *s = &t->walk->step;

		snprintf(buffer, size, "%s of target %s at sector %llu", s->name, s->target->type->name,
			 (unsigned long long)s->target->start);
	}
	return buffer;
}

enum dm_level dm_walk_level(const struct dm_table *t)
{
	const struct dm_walk *w = t->walk;

	if (!w)
		return DM_IDLE;
	return w->running == t->n ? DM_RUNNING : w->ready == t->n ? DM_READY : DM_IDLE;
}

/* Nothing of T runs any more, and nobody reads it. */
static void table_go(struct dm_table *t)
{
	void (*then)(void *arg) = t->retired;
	void *arg = t->retired_arg;

	list_remove(&t->retiring);
	free(t->walk);
	dm_table_free(t);
	if (then)
		then(arg);
}

static void table_at_rest(void *arg, const struct err *e)
{
	struct dm_table *t = arg;

	(void)e;	/* a walk with DM_WALK_ALL goes on */
	t->at_rest = true;
	if (!t->holds)
		table_go(t);
}

void dm_table_retire(struct dm_world *w, struct dm_table *t, void (*then)(void *arg), void *arg)
{
	if (!t) {
		if (then)
			then(arg);
		return;
	}
	t->device = NULL;
	t->retired = then;
	t->retired_arg = arg;
	list_append(&w->retiring, &t->retiring);
	dm_walk_down(t, DM_GONE, DM_WALK_ALL, table_at_rest, t);
}

void dm_table_hold(struct dm_table *t)
{
	t->holds++;
}

void dm_table_drop(struct dm_table *t)
{
	if (--t->holds == 0 && t->at_rest)
		table_go(t);
}
