/* SPDX-License-Identifier: BSD-2-Clause */
/* The status of a line of raid, and what `measure` says: as on Linux. */
#include "targets/raid/array.h"

static const char *action_name(const struct raid *raid)
{
	static const char *const names[] = {
		[RAID_IDLE] = "idle", [RAID_RECOVER] = "recover", [RAID_RESYNC] = "resync", [RAID_CHECK] = "check", [RAID_REPAIR] = "repair",
	};

	const struct array *a = raid->array;

	if (!raid->runs || (a && a->actions.frozen))
		return "frozen";
	return names[a ? a->actions.now : RAID_IDLE];
}

/* D: dead; A: it has all; a: it lacks something, or nobody knows; -: there is none. */
static char leg_letter(const struct array *a, const struct raid_leg *l)
{
	static const char letters[] = { [LEG_NONE] = '-', [LEG_DEAD] = 'D', [LEG_BEHIND] = 'a', [LEG_GOOD] = 'A' };
	enum leg_state state = leg_state(l);

	if (!a || (state == LEG_GOOD && atomic_load(&a->differs) && array_legs(a, LEG_GOOD) > 1))
		return a ? 'a' : 'A';
	return letters[state];
}

void raid_status(const struct dm_target *t, struct text *out)
{
	const struct raid *raid = t->priv;
	struct array *a = raid->array;
	bool check = a && a->actions.last == RAID_CHECK;
	uint64_t sectors = raid->words.level ? t->len : t->len / raid->n;
	unsigned i;

	text_printf(out, "raid%u %u ", raid->words.level, raid->n);
	for (i = 0; i < raid->n; i++)
		text_printf(out, "%c", leg_letter(a, &raid->legs[i]));
	text_printf(out, " %llu/%llu %s %llu 0 -", (unsigned long long)(a ? actions_progress(a) : sectors), (unsigned long long)sectors,
		    action_name(raid), (unsigned long long)(check ? atomic_load(&a->actions.mismatches) : 0));
}

void raid_measure(const struct dm_target *t, struct text *out)
{
	const struct raid *raid = t->priv;
	unsigned i;

	text_printf(out, ",raid_type=raid%u,raid_disks=%u,raid_state=%s", raid->words.level, raid->n, action_name(raid));
	for (i = 0; i < raid->n; i++)
		text_printf(out, ",raid_device_%u_status=%c", i, leg_letter(raid->array, &raid->legs[i]));
	text_add(out, ";");
}
