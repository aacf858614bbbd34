/* SPDX-License-Identifier: BSD-2-Clause */
/* See slow.h. */
#include "support/slow.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/command/ask.h"
#include "core/device/event.h"
#include "core/device/step.h"

struct slow {
	unsigned prepared;
};

static struct dm_ask *hanging;
static unsigned lines;
static int status_err;
static bool status_hangs;
bool slow_raises_early;

static int slow_ctr(struct dm_target *t, struct dm_args *a)
{
	lines++;
	(void)t;
	return dm_args_end(a);
}

static void slow_dtr(struct dm_target *t)
{
	(void)t;
	lines--;
}

static int slow_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

static void slow_preresume(struct dm_target *t, struct dm_step *s)
{
	if (slow_raises_early)
		dm_event_raise(t->table);
	dm_step_done(s, 0);
}

struct answer {
	struct dm_ask *ask;
	int err;
	bool changed;
};

static void *answer_run(void *arg)
{
	struct answer *o = arg;

	text_printf(&o->ask->out, "late");
	o->ask->changed = o->changed;
	dm_ask_done(o->ask, o->err);
	free(o);
	return NULL;
}

static int answer_later(struct dm_ask *a, int err, bool changed)
{
	struct answer *o = malloc(sizeof(*o));
	pthread_t thread;

	assert_non_null(o);
	*o = (struct answer){ a, err, changed };
	assert_int_equal(pthread_create(&thread, NULL, answer_run, o), 0);
	pthread_detach(thread);
	return DM_HELD;
}

static int hang(struct dm_ask *a)
{
	assert_null(hanging);
	hanging = a;
	return DM_HELD;
}

static int slow_message(struct dm_target *t, struct dm_ask *a)
{
	(void)t;
	if (!strcmp(a->argv[0], "later"))
		return answer_later(a, -atoi(a->argv[1]), atoi(a->argv[2]));
	if (!strcmp(a->argv[0], "hang"))
		return hang(a);
	if (!strcmp(a->argv[0], "fail"))
		return -EIO;
	a->changed = !strcmp(a->argv[0], "change");
	text_add(&a->out, a->argv[a->argc - 1]);
	return 0;
}

static int slow_prepare(struct dm_target *t, struct dm_ask *a)
{
	struct slow *s = t->priv;

	s->prepared++;
	return status_hangs ? hang(a) : answer_later(a, status_err, false);
}

static void slow_print(const struct dm_target *t, struct text *out)
{
	const struct slow *s = t->priv;

	text_printf(out, "%u", s->prepared);
}

const struct dm_type slow_type = {
	.name = "slow", .usage = "", .about = "takes its time", .version = { 1, 0, 0 }, .size = sizeof(struct slow),
	.ctr = slow_ctr, .dtr = slow_dtr, .map = slow_map, .preresume = slow_preresume, .message = slow_message,
	.prepare_status = slow_prepare, .status = slow_print,
};

void slow_status(int err, bool hangs)
{
	status_err = err;
	status_hangs = hangs;
}

struct dm_ask *slow_hangs(void)
{
	return hanging;
}

void slow_end(int err, bool changed)
{
	struct dm_ask *a = hanging;

	assert_non_null(a);
	hanging = NULL;
	answer_later(a, err, changed);
}

unsigned slow_lines(void)
{
	return lines;
}
