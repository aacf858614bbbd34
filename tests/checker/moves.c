/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspending, resuming and swapping, and what they promise: see life.h. */
#include <string.h>

#include "checker/found.h"
#include "checker/life.h"

/* The result of a flush of a suspended volume is a promise: what was answered before is durable. */
static void promise(struct life *l, unsigned v, struct model_view *views, bool kept)
{
	unsigned i;

	for (i = 0; i < l->n_areas[v]; i++) {
		if (kept)
			model_flushed(&l->areas[v][i], &views[i]);
		else
			model_see(&l->areas[v][i], &views[i]);
	}
}

bool life_settle(struct life *l, struct volume *v)
{
	struct model_view views[AREAS];

	if (!volume_has_power(v))
		return true;
	life_stop(l, v->number);
	promise(l, v->number, views, false);
	if (life_flush(l, v->device)) {
		life_start(l, v->number);
		return false;
	}
	promise(l, v->number, views, true);
	return true;
}

void life_unsettle(struct life *l, const struct volume *v)
{
	life_start(l, v->number);
}

int life_suspend(struct life *l, struct volume *v, uint32_t flags)
{
	struct model_view views[AREAS];
	int r;

	promise(l, v->number, views, false);
	r = life_verb(l, DM_DO_SUSPEND, v->name, flags);
	if (!r && !(flags & DM_WITH_NOFLUSH) && !volume_has_power(v))
		promise(l, v->number, views, true);
	l->sums.suspends += !r;
	return r;
}

void life_resume_all(struct life *l, const char *const *names, size_t n)
{
	unsigned tries = 0;
	int r;

	do
		r = life_do(l, &(struct dm_cmd){ .verb = DM_DO_RESUME, .name = names[0], .names = n > 1 ? names : NULL, .n_names = n > 1 ? n : 0 });
	while (r && strstr(l->why, "backs at sector") && ++tries < 100);
	if (r)
		found("%s cannot be resumed although nothing fails: %s", names[n - 1], l->why);
}

void life_resume(struct life *l, const char *name)
{
	life_resume_all(l, &name, 1);
}

void life_swap(struct life *l, const char *name, const char *table)
{
	if (life_reload(l, name, table))
		found("%s: the table '%s' is refused: %s", name, table, l->why);
	life_resume(l, name);
	l->sums.swaps++;
}
