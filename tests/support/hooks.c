/* SPDX-License-Identifier: BSD-2-Clause */
/* See hooks.h. Hooks are called on the control thread, which is the test's. */
#include "support/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/step.h"
#include "core/table/store.h"

#define RULES 8

struct hooks_line {
	struct dm_at at;
	char name[16];
};

static struct {
	struct {
		char what[32];
		enum hooks_act act;
	} rules[RULES];
	unsigned n_rules, lines;
	char called[2][2048];
	unsigned which;
	struct dm_step *hanging;
} all;

void hooks_reset(void)
{
	all.n_rules = 0;
	all.hanging = NULL;
	all.called[all.which][0] = '\0';
}

void hooks_tell(const char *what, enum hooks_act act)
{
	unsigned i;

	for (i = 0; i < all.n_rules && strcmp(all.rules[i].what, what); i++)
		;
	assert_true(i < RULES);
	snprintf(all.rules[i].what, sizeof(all.rules[i].what), "%s", what);
	all.rules[i].act = act;
	if (i == all.n_rules)
		all.n_rules++;
}

static enum hooks_act hooks_act(const char *what)
{
	unsigned i;

	for (i = 0; i < all.n_rules; i++)
		if (!strcmp(all.rules[i].what, what))
			return all.rules[i].act;
	return HOOKS_SUCCEED;
}

void hooks_end(int result)
{
	struct dm_step *s = all.hanging;

	assert_non_null(s);
	all.hanging = NULL;
	dm_step_done(s, result);
}

bool hooks_hang(void)
{
	return all.hanging;
}

bool hooks_given_up(void)
{
	return all.hanging && atomic_load(&all.hanging->given_up);
}

const char *hooks_called(void)
{
	char *s = all.called[all.which];
	size_t n = strlen(s);

	all.which = !all.which;
	all.called[all.which][0] = '\0';
	if (n)
		s[n - 1] = '\0';
	return s;
}

unsigned hooks_lines(void)
{
	return all.lines;
}

static void *hooks_thread(void *arg)
{
	dm_step_done(arg, 0);
	return NULL;
}

static void hooks_run(struct dm_target *t, struct dm_step *s, const char *hook)
{
	const struct hooks_line *line = t->priv;
	char what[32], *called = all.called[all.which];
	pthread_t thread;

	snprintf(what, sizeof(what), "%s.%s", line->name, hook);
	snprintf(called + strlen(called), sizeof(all.called[0]) - strlen(called), "%s%s ", what, s->noflush ? "!" : "");
	switch (hooks_act(what)) {
	case HOOKS_SUCCEED:
		dm_step_done(s, 0);
		break;
	case HOOKS_FAIL:
		dm_step_done(s, err_set(s->err, -EIO, "%s does not like it", line->name));
		break;
	case HOOKS_FAIL_SILENTLY:
		dm_step_done(s, -EIO);
		break;
	case HOOKS_HANG:
		assert_null(all.hanging);
		all.hanging = s;
		break;
	case HOOKS_THREAD:
		assert_int_equal(pthread_create(&thread, NULL, hooks_thread, s), 0);
		pthread_detach(thread);
		break;
	}
}

static void hooks_preresume(struct dm_target *t, struct dm_step *s)
{
	hooks_run(t, s, "preresume");
}

static void hooks_resume(struct dm_target *t, struct dm_step *s)
{
	hooks_run(t, s, "resume");
}

static void hooks_presuspend(struct dm_target *t, struct dm_step *s)
{
	hooks_run(t, s, "presuspend");
}

static void hooks_postsuspend(struct dm_target *t, struct dm_step *s)
{
	hooks_run(t, s, "postsuspend");
}

static int hooks_ctr(struct dm_target *t, struct dm_args *a)
{
	struct hooks_line *line = t->priv;
	const char *name = dm_arg_word(a, "<name>");

	all.lines++;
	if (name)
		snprintf(line->name, sizeof(line->name), "%s", name);
	if (dm_args_left(a))
		line->at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static void hooks_dtr(struct dm_target *t)
{
	(void)t;
	all.lines--;
}

static int hooks_map(const struct dm_target *t, struct dm_req *r)
{
	const struct hooks_line *line = t->priv;

	return line->at.store ? dm_remap(r, &line->at, r->sector) : DM_DONE;
}

static void hooks_table(const struct dm_target *t, struct text *out)
{
	const struct hooks_line *line = t->priv;

	text_add_word(out, line->name);
	if (!line->at.store)
		return;
	text_add(out, " ");
	dm_text_at(out, &line->at);
}

const struct dm_type hooks_type = {
	.name = "hooks", .usage = "<name> [<device> <offset>]", .about = "is told what its hooks do", .version = { 1, 0, 0 },
	.size = sizeof(struct hooks_line), .ctr = hooks_ctr, .dtr = hooks_dtr, .map = hooks_map, .table = hooks_table,
	.preresume = hooks_preresume, .resume = hooks_resume, .presuspend = hooks_presuspend, .postsuspend = hooks_postsuspend,
};
