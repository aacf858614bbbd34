/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of a plan: see plan.h. After each, everything is active and nothing fails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checker/found.h"
#include "checker/ground.h"
#include "checker/life.h"
#include "core/device/devices.h"
#include "stack/types.h"

#define SOME 60u		/* requests that are answered meanwhile */
#define ALL_LEGS (LINES * KIND_DISKS)

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

/*
 * Before a table goes with which a write cache is lost. Clients have stopped if it has one, and what they wrote is durable.
 * False: it cannot be.
 */
static bool settle(struct life *l, struct volume *v)
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

/* After settle() and the change. */
static void unsettle(struct life *l, const struct volume *v)
{
	unsigned i;

	for (i = l->from[v->number]; i < l->from[v->number + 1]; i++)
		if (atomic_load(&l->clients[i].stopped))
			client_start(&l->clients[i]);
}

static int suspend_volume(struct life *l, struct volume *v, uint32_t flags)
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

/* It must work: nothing fails now, except that backs refuses a few times. */
static void resume_all(struct life *l, const char *const *names, size_t n)
{
	unsigned tries = 0;
	int r;

	do
		r = life_do(l, &(struct dm_cmd){ .verb = DM_DO_RESUME, .name = names[0], .names = n > 1 ? names : NULL, .n_names = n > 1 ? n : 0 });
	while (r && strstr(l->why, "backs at sector") && ++tries < 100);
	if (r)
		found("%s cannot be resumed although nothing fails: %s", names[n - 1], l->why);
}

static void resume(struct life *l, const char *name)
{
	resume_all(l, &name, 1);
}

static void swap(struct life *l, const char *name, const char *table)
{
	if (life_reload(l, name, table))
		found("%s: the table '%s' is refused: %s", name, table, l->why);
	resume(l, name);
	l->sums.swaps++;
}

/* A line that reads as zeros never becomes another, nor another one such: its content would change. */
static const struct kind *other_kind(const struct line *l, unsigned any)
{
	const struct kind *k = &kinds[any % n_kinds];

	return l->kind->how == KIND_ZEROS || k->how == KIND_ZEROS || !(l->kind->placed || l->kind->how == KIND_FAILS) ||
	       !(k->placed || k->how == KIND_FAILS) ? NULL : k;
}

static void step_kind(struct life *l, struct volume *v, const struct step *s)
{
	unsigned i = s->a % v->n_lines;
	const struct kind *k = other_kind(&v->lines[i], s->b);
	struct line old;
	bool changed;

	if (!k || !settle(l, v))
		return;
	changed = !suspend_volume(l, v, 0);
	if (changed) {
		changed = volume_change(v, i, k, &old);
		resume(l, v->name);
	}
	unsettle(l, v);
	if (!changed)
		return;
	volume_forget(v, &old);
	l->sums.swaps++;
	l->sums.kinds[k - kinds]++;
}

static void step_move(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);
	char table[256];
	unsigned was;
	int to;

	if (!leg || (to = ground_take(1)) < 0)
		return;
	if (!settle(l, v) || life_verb(l, DM_DO_SUSPEND, leg->name, 0)) {
		unsettle(l, v);
		ground_leave((unsigned)to);
		return;
	}
	was = leg->disk;
	ground_copy((unsigned)to, was);
	leg->disk = (unsigned)to;
	leg_table(leg, s->b, table, sizeof(table));
	swap(l, leg->name, table);
	unsettle(l, v);
	ground_leave(was);
}

static void make_dust(struct life *l, const struct leg *leg)
{
	char message[64];
	unsigned i;

	for (i = 0; i < 400; i++) {
		snprintf(message, sizeof(message), "addbadblock %u", types_random(GROUND_SECTORS));
		life_do(l, &(struct dm_cmd){ .verb = DM_DO_MESSAGE, .name = leg->name, .message = message });
	}
	life_do(l, &(struct dm_cmd){ .verb = DM_DO_MESSAGE, .name = leg->name, .message = "enable" });
}

static void step_fault(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);
	char table[256];

	if (!leg || !settle(l, v))
		return;
	leg_fault_table(leg, s->b, table, sizeof(table));
	swap(l, leg->name, table);
	unsettle(l, v);
	if (strstr(table, "dust"))
		make_dust(l, leg);
	l->sums.faults++;
	life_wait(l, SOME);
	leg_table(leg, s->b / leg_faults(), table, sizeof(table));
	if (life_reload(l, leg->name, table))
		found("%s: the table '%s' is refused: %s", leg->name, table, l->why);
	/* What fails cannot be flushed; so it is suspended without. */
	life_verb(l, DM_DO_SUSPEND, leg->name, DM_WITH_NOFLUSH);
	resume(l, leg->name);
}

static void step_fails(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);

	if (!leg)
		return;
	ground_fails(leg->disk, 2 + s->b % 8);
	l->sums.faults++;
	life_wait(l, SOME);
	ground_fails(leg->disk, 0);
}

static void step_slow(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);

	if (!leg)
		return;
	ground_is_slow(leg->disk, 1 + s->b % 4);
	life_wait(l, SOME);
	if (s->b % 3 == 0 && !suspend_volume(l, v, 0))
		resume(l, v->name);
	ground_is_slow(leg->disk, 0);
}

static void step_suspend(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = s->a % 2 ? volume_leg(v, s->a / 2) : NULL;
	uint32_t flags = s->b % 2 ? DM_WITH_NOFLUSH : 0;

	if (leg ? life_verb(l, DM_DO_SUSPEND, leg->name, flags) : suspend_volume(l, v, flags))
		return;
	l->sums.suspends += leg != NULL;
	life_wait(l, SOME);
	resume(l, leg ? leg->name : v->name);
}

static void step_group(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *legs[ALL_LEGS];
	const char *names[ALL_LEGS + 1];
	unsigned n = volume_legs(v, legs, ALL_LEGS), i;
	struct dm_cmd c = { .verb = DM_DO_SUSPEND, .names = names, .flags = s->b % 2 ? DM_WITH_NOFLUSH : 0 };

	for (i = 0; i < n; i++)
		names[i] = legs[i]->name;
	names[n] = v->name;
	c.n_names = n + 1;
	if (life_do(l, &c))
		return;
	l->sums.suspends += n + 1;
	life_wait(l, SOME);
	resume_all(l, names, n + 1);
}

static void step_rename(struct life *l, struct volume *v, const struct step *s)
{
	char name[sizeof(v->name)];

	(void)s;
	snprintf(name, sizeof(name), "volume%u-%u", v->number, ++v->renamed);
	if (life_do(l, &(struct dm_cmd){ .verb = DM_DO_RENAME, .name = v->name, .new_name = name }))
		found("%s cannot be renamed: %s", v->name, l->why);
	else
		memcpy(v->name, name, sizeof(name));
}

static void step_refused(struct life *l, struct volume *v, const struct step *s)
{
	static const char *const bad[] = { "0 960 linear", "0 960 linear nothing:here 0", "5 960 zero", "0 960 zero\n950 10 zero", "0 0 zero" };
	char *before = rows(l->f, DM_DO_TABLE, v->name, 0), *after;

	if (!life_reload(l, v->name, bad[s->a % 5]))
		found("%s: the table '%s' was not refused", v->name, bad[s->a % 5]);
	if (!life_verb(l, DM_DO_REMOVE, v->name, 0))
		found("%s was removed although it is open", v->name);
	after = rows(l->f, DM_DO_TABLE, v->name, 0);
	if (strcmp(before, after) || info(l->f, v->name).inactive)
		found("%s: a load that failed has changed something", v->name);
	free(before);
	free(after);
}

/* Then only what is durable is sure. */
static void areas_lose(struct life *l, unsigned v)
{
	unsigned i, k;

	for (i = 0; i < l->n_areas[v]; i++)
		for (k = 0; k < AREA; k++) {
			struct model_sector *s = &l->areas[v][i].at[k];

			atomic_store(&s->sure, atomic_load(&s->durable));
		}
}

static void step_cut(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);
	char table[256];

	if (!leg || l->plan->volumes[v->number].nbd)	/* a disk that is open over NBD is not restored */
		return;
	if (!leg_has_power(l->f, leg)) {
		leg_table(leg, 4, table, sizeof(table));
		swap(l, leg->name, table);
	}
	life_wait(l, SOME);
	life_stop(l, v->number);
	if (life_verb(l, DM_DO_CUT, leg->name, 0) || life_verb(l, DM_DO_RESTORE, leg->name, 0))
		found("the power of %s cannot be cut and restored: %s", leg->name, l->why);
	areas_lose(l, v->number);
	l->sums.faults++;
	life_start(l, v->number);
}

static void area_left(struct life *l, const struct volume *v, struct model_area *a, const struct model_view *view)
{
	char who[64];
	unsigned i;

	snprintf(who, sizeof(who), "%s after a power cut", v->name);
	for (i = 0; i < AREA; i++) {
		const uint8_t *data = volume_left(v, a->start + i);

		if (data)
			model_check(a, view, i, 1, data, who);
		l->sums.looks += data != NULL;
	}
}

static void step_lose(struct life *l, struct volume *v, const struct step *s)
{
	struct model_view views[AREAS];
	unsigned i;

	(void)s;
	for (i = 0; i < l->n_areas[v->number]; i++)
		model_see_durable(&l->areas[v->number][i], &views[i]);
	ground_lose();
	for (i = 0; i < l->n_areas[v->number]; i++)
		area_left(l, v, &l->areas[v->number][i], &views[i]);
}

void life_step(struct life *l, const struct step *s)
{
	static void (*const steps[])(struct life *l, struct volume *v, const struct step *s) = {
		[STEP_KIND] = step_kind, [STEP_MOVE] = step_move, [STEP_FAULT] = step_fault, [STEP_FAILS] = step_fails,
		[STEP_SLOW] = step_slow, [STEP_SUSPEND] = step_suspend, [STEP_GROUP] = step_group, [STEP_RENAME] = step_rename,
		[STEP_REFUSED] = step_refused, [STEP_CUT] = step_cut, [STEP_LOSE] = step_lose,
	};

	if (l->volumes[s->volume].n_lines)
		steps[s->kind](l, &l->volumes[s->volume], s);
}
