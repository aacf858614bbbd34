/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of a plan: see plan.h. After each, everything is active and nothing fails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checker/found.h"
#include "checker/ground.h"
#include "checker/life.h"
#include "checker/mend.h"
#include "stack/types.h"

#define SOME 60u		/* requests that are answered meanwhile */
#define ALL_DEVICES (LINES * (KIND_DISKS + KIND_OTHERS) + 1)

/* Any that suits, from ANY on; there may be none but its own. */
static const struct kind *other_kind(const struct volume *v, unsigned i, unsigned any)
{
	unsigned n = n_kinds;

	while (n-- && !volume_suits(v, i, &kinds[any % n_kinds]))
		any++;
	return n < n_kinds ? &kinds[any % n_kinds] : NULL;
}

static void step_kind(struct life *l, struct volume *v, const struct step *s)
{
	unsigned i = s->a % v->n_lines;
	const struct kind *k = other_kind(v, i, s->b);

	if (!k)
		return;
	mend_first(l, v, i);
	mend_change(l, v, i, k);
}

static void step_move(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);
	char table[256];
	unsigned was;
	int to;

	if (!leg || (to = ground_take(1)) < 0)
		return;
	if (!life_settle(l, v) || life_verb(l, DM_DO_SUSPEND, leg->name, 0)) {
		life_unsettle(l, v);
		ground_leave((unsigned)to);
		return;
	}
	was = leg->disk;
	ground_copy((unsigned)to, was);
	leg->disk = (unsigned)to;
	leg_table(leg, s->b, table, sizeof(table));
	life_swap(l, leg->name, table);
	life_unsettle(l, v);
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
	unsigned line;

	if (!leg)
		return;
	line = volume_line_of(v, leg);
	mend_first(l, v, line);
	if (!life_settle(l, v))
		return;
	leg_fault_table(leg, s->b, table, sizeof(table));
	life_swap(l, leg->name, table);
	life_unsettle(l, v);
	if (strstr(table, "dust"))
		make_dust(l, leg);
	l->sums.faults++;
	life_wait(l, SOME);
	leg_table(leg, s->b / leg_faults(), table, sizeof(table));
	if (life_reload(l, leg->name, table))
		found("%s: the table '%s' is refused: %s", leg->name, table, l->why);
	/* What fails cannot be flushed; so it is suspended without. */
	life_verb(l, DM_DO_SUSPEND, leg->name, DM_WITH_NOFLUSH);
	life_resume(l, leg->name);
	mend(l, v, line);
}

static void step_fails(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);

	if (!leg)
		return;
	mend_first(l, v, volume_line_of(v, leg));
	ground_fails(leg->disk, 2 + s->b % 8);
	l->sums.faults++;
	life_wait(l, SOME);
	ground_fails(leg->disk, 0);
	mend(l, v, volume_line_of(v, leg));
}

static void step_slow(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);

	if (!leg)
		return;
	ground_is_slow(leg->disk, 1 + s->b % 4);
	life_wait(l, SOME);
	if (s->b % 3 == 0 && !life_suspend(l, v, 0))
		life_resume(l, v->name);
	ground_is_slow(leg->disk, 0);
}

static void step_suspend(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = s->a % 2 ? volume_leg(v, s->a / 2) : NULL;
	uint32_t flags = s->b % 2 ? DM_WITH_NOFLUSH : 0;

	if (leg ? life_verb(l, DM_DO_SUSPEND, leg->name, flags) : life_suspend(l, v, flags))
		return;
	l->sums.suspends += leg != NULL;
	life_wait(l, SOME);
	life_resume(l, leg ? leg->name : v->name);
}

/* Half of the time without the devices beside it, such as snapshots of an origin, on whose stores what it writes has to wait. */
static void step_group(struct life *l, struct volume *v, const struct step *s)
{
	const char *names[ALL_DEVICES];
	struct dm_cmd c = { .verb = DM_DO_SUSPEND, .names = names, .flags = s->b % 2 ? DM_WITH_NOFLUSH : 0 };
	unsigned n = volume_names(v, names, s->a % 2);

	c.n_names = n;
	if (life_do(l, &c))
		return;
	l->sums.suspends += n;
	life_wait(l, SOME);
	life_resume_all(l, names, n);
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

static void cut_leg(struct life *l, struct volume *v, const struct leg *leg)
{
	char table[256];
	unsigned i;

	if (!leg_has_power(l->f, leg)) {
		leg_table(leg, LEG_POWER, table, sizeof(table));
		life_swap(l, leg->name, table);
	}
	life_wait(l, SOME);
	if (life_verb(l, DM_DO_CUT, leg->name, 0))
		found("the power of %s cannot be cut: %s", leg->name, l->why);
	life_wait(l, SOME / 4);		/* what is under way fails */
	life_stop(l, v->number);
	if (life_verb(l, DM_DO_RESTORE, leg->name, 0))
		found("the power of %s cannot be restored: %s", leg->name, l->why);
	for (i = 0; i < l->n_areas[v->number]; i++)
		model_lose(&l->areas[v->number][i]);
	life_start(l, v->number);
}

/* What remembers its disks' content loses the power of all of them, as a machine does. */
static void step_cut(struct life *l, struct volume *v, const struct step *s)
{
	struct leg *leg = volume_leg(v, s->a);

	if (!leg || life_is_used_elsewhere(l, v->number))	/* a disk that is open by a front is not restored */
		return;
	if (v->lines[volume_line_of(v, leg)].kind->remembers)
		mend_power(l, v, volume_line_of(v, leg));
	else
		cut_leg(l, v, leg);
	l->sums.faults++;
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

static void step_look(struct life *l, struct volume *v, const struct step *s)
{
	(void)s;
	mend_look(l, v);
}

void life_step(struct life *l, const struct step *s)
{
	static void (*const steps[])(struct life *l, struct volume *v, const struct step *s) = {
		[STEP_KIND] = step_kind, [STEP_MOVE] = step_move, [STEP_FAULT] = step_fault, [STEP_FAILS] = step_fails,
		[STEP_SLOW] = step_slow, [STEP_SUSPEND] = step_suspend, [STEP_GROUP] = step_group, [STEP_RENAME] = step_rename,
		[STEP_REFUSED] = step_refused, [STEP_CUT] = step_cut, [STEP_LOSE] = step_lose,
		[STEP_LOOK] = step_look,
	};

	if (l->volumes[s->volume].n_lines)
		steps[s->kind](l, &l->volumes[s->volume], s);
}
