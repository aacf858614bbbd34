/* SPDX-License-Identifier: BSD-2-Clause */
/* See mend.h. */
#include "checker/mend.h"

#include <stdio.h>
#include <string.h>

#include "checker/found.h"
#include "checker/health.h"
#include "stack/types.h"

/* --- content ------------------------------------------------------------------------------------------------------------------ */

/* Line I has begun anew: clients have stopped. */
static void begins_anew(struct life *l, struct volume *v, unsigned i)
{
	const struct kind *kind = v->lines[i].kind;
	uint8_t *before = v->lines[i].before;
	unsigned a, k;

	memcpy(before, kind->before, sizeof(kind->before));
	for (a = 0; a < l->n_areas[v->number]; a++)
		for (k = 0; k < AREA; k++) {
			struct model_area *area = &l->areas[v->number][a];
			uint64_t at = area->start + k;

			if (at / SAMPLE_SECTORS == i)
				model_reset(area, k, before + at % SAMPLE_SECTORS * DM_SECTOR, kind->how == KIND_ZEROS);
		}
}

/* Nothing of it is kept back, and no store is suspended: what is built reads its disks while nobody lets anything go. */
static bool change(struct volume *v, unsigned i, const struct kind *kind, struct line *old)
{
	bool changed;

	backs_may_keep(false);
	changed = volume_change(v, i, kind, old);
	backs_may_keep(true);
	return changed;
}

bool mend_change(struct life *l, struct volume *v, unsigned i, const struct kind *kind)
{
	bool keeps = volume_keeps(v, i, kind), changed = false;
	struct line old;

	mend_look(l, v);
	if (!keeps)
		life_stop(l, v->number);
	else if (!life_settle(l, v))
		return false;
	if (!life_suspend(l, v, 0)) {
		changed = change(v, i, kind, &old);
		life_resume(l, v->name);
	}
	if (changed) {
		volume_forget(v, &old);
		l->sums.swaps++;
		l->sums.kinds[kind - kinds]++;
	}
	if (changed && !keeps)
		begins_anew(l, v, i);
	life_unsettle(l, v);
	return changed;
}

/* --- disks ---------------------------------------------------------------------------------------------------------------------- */

static void load(struct life *l, struct volume *v, int blank)
{
	char why[ERR_TEXT];

	if (volume_load(v, blank, why))
		found("%s: the table that it had is refused: %s", v->name, why);
	if (life_verb(l, DM_DO_SUSPEND, v->name, DM_WITH_NOFLUSH))
		found("%s cannot be suspended: %s", v->name, l->why);
	life_resume(l, v->name);
	l->sums.swaps++;
}

static void wait_until_equal(struct life *l, struct volume *v, unsigned i)
{
	uint64_t since = life_now();

	while (!line_health(v, i).in_sync)
		life_turn(l, since, "making disks equal");
}

void mend_first(struct life *l, struct volume *v, unsigned i)
{
	if (v->lines[i].kind->remembers)
		wait_until_equal(l, v, i);
}

static void load_again(struct life *l, struct volume *v, unsigned i)
{
	struct line *line = &v->lines[i];
	struct health h = line_health(v, i);

	if (h.all_failed)
		found("%s: line %u has no disk left, although only one has failed", v->name, i);
	if (h.first_failed && line->kind->turned)
		line->turned = !line->turned;
	load(l, v, -1);
	l->sums.mended++;
}

void mend(struct life *l, struct volume *v, unsigned i)
{
	if (!v->lines[i].kind->remembers)
		return;
	load_again(l, v, i);
	if (!line_health(v, i).invalid) {
		wait_until_equal(l, v, i);
		return;
	}
	l->sums.invalid++;
	if (!mend_change(l, v, i, v->lines[i].kind))
		found("%s: a line that is invalid cannot be replaced: %s", v->name, l->why);
}

/* --- power ----------------------------------------------------------------------------------------------------------------------- */

static void needs_power(struct life *l, struct volume *v, const struct leg *leg)
{
	char table[256];

	if (leg_has_power(v->f, leg))
		return;
	leg_table(leg, LEG_POWER, table, sizeof(table));
	life_swap(l, leg->name, table);
}

/* What waits for another table fails when the device is suspended; so clients stop. */
static void stop_failing(struct life *l, struct volume *v)
{
	uint64_t since = life_now();

	life_begin_stop(l, v->number);
	while (!life_has_stopped(l, v->number)) {
		if (!life_verb(l, DM_DO_SUSPEND, v->name, 0))
			life_resume(l, v->name);
		life_turn(l, since, "the answer to a request");
	}
}

static void cut(struct life *l, enum dm_verb verb, const char *const *names, size_t n)
{
	struct dm_cmd c = { .verb = verb, .name = names[0], .names = names, .n_names = n };

	if (life_do(l, &c))
		found("the power of %s cannot be cut and restored: %s", names[0], l->why);
}

void mend_power(struct life *l, struct volume *v, unsigned i)
{
	struct line *line = &v->lines[i];
	const char *names[KIND_DISKS];
	unsigned k;

	for (k = 0; k < line->kind->disks; k++) {
		needs_power(l, v, &line->legs[k]);
		names[k] = line->legs[k].name;
	}
	life_wait(l, 60);
	life_power(l, v->number, false);
	cut(l, DM_DO_CUT, names, line->kind->disks);
	life_wait(l, 20);
	stop_failing(l, v);
	load(l, v, (int)i);	/* as if the machine were off: nothing is remembered */
	cut(l, DM_DO_RESTORE, names, line->kind->disks);
	life_power(l, v->number, true);
	for (k = 0; k < l->n_areas[v->number]; k++)
		model_lose(&l->areas[v->number][k]);
	load(l, v, -1);
	if (line_health(v, i).invalid && !line->kind->sample->others)
		found("%s: line %u has lost what it keeps, because the power was cut", v->name, i);
	life_start(l, v->number);
	mend(l, v, i);
}

/* --- what stands beside ---------------------------------------------------------------------------------------------------------- */

static void look_at(struct life *l, struct volume *v, unsigned i, const struct other *o)
{
	static uint8_t data[SAMPLE_SECTORS * DM_SECTOR];
	unsigned k;

	if (life_read(l, o->device, data, SAMPLE_SECTORS)) {
		if (!line_health(v, i).invalid)
			found("%s cannot be read although it is valid", o->name);
		return;
	}
	for (k = 0; k < SAMPLE_SECTORS; k++)
		if (memcmp(data + k * DM_SECTOR, v->lines[i].kept + k * DM_SECTOR, DM_SECTOR))
			found("%s: sector %u is not what %s had when it was made", o->name, k, v->name);
	l->sums.looks += SAMPLE_SECTORS;
}

void mend_look(struct life *l, struct volume *v)
{
	unsigned i, k;

	for (i = 0; i < v->n_lines; i++)
		for (k = 0; k < KIND_OTHERS; k++)
			if (v->lines[i].others[k].device)
				look_at(l, v, i, &v->lines[i].others[k]);
}
