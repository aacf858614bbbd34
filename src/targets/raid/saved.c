/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an array keeps in memory. Without metadata that is which of its legs are dead, so that a later daemon does not take one of them
 * for the one that counts. "raid 1 AD": a letter for each leg, D for a dead one, G for one that the words want rebuilt, and that was;
 * followed by " equal", if it stands still and those that are not dead are. One with metadata saves "raid 1 begun" if its words want
 * legs rebuilt: how far that is, the superblocks know from then on.
 */
#include <string.h>

#include "targets/raid/array.h"

#define BEGINNING "raid 1 "
#define BEGUN BEGINNING "begun"

static char leg_letter(const struct raid_leg *l)
{
	if (leg_state(l) == LEG_DEAD)
		return 'D';
	return l->rebuild && leg_state(l) == LEG_GOOD ? 'G' : 'A';
}

static void save_legs(const struct array *a, bool at_rest, struct text *out)
{
	unsigned i;

	text_add(out, BEGINNING);
	for (i = 0; i < a->raid->n; i++)
		text_printf(out, "%c", leg_letter(&a->raid->legs[i]));
	if (at_rest && atomic_load(&a->begun) && !atomic_load(&a->differs) && !array_legs(a, LEG_BEHIND))
		text_add(out, " equal");
}

int raid_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct raid *raid = t->priv;
	const struct array *a = raid->array;

	(void)e;
	if (a && !a->on_disk)
		save_legs(a, at_rest, out);
	else if (a && atomic_load(&a->begun) && array_has_orders(a))
		text_add(out, BEGUN);
	return 0;
}

/* --- back ------------------------------------------------------------------------------------------------------------------- */

struct letters {
	const char *at;
	bool equal;
	unsigned good, rebuilt;		/* legs that have the data: by the words, and because they were rebuilt */
};

static int letters_read(const struct raid *raid, const char *at, size_t len, struct letters *l)
{
	unsigned i;

	*l = (struct letters){ .at = at, .equal = len == raid->n + 6 && !memcmp(at + raid->n, " equal", 6) };
	if (len != raid->n && !l->equal)
		return -EINVAL;
	for (i = 0; i < raid->n; i++) {
		if (at[i] != 'A' && at[i] != 'D' && (at[i] != 'G' || !raid->legs[i].rebuild))
			return -EINVAL;
		l->good += at[i] == 'A' && leg_state(&raid->legs[i]) == LEG_GOOD;
		l->rebuilt += at[i] == 'G';
	}
	return l->good + l->rebuilt ? 0 : -EINVAL;
}

/* One that was rebuilt counts only if it must: what was copied to it may not have been durable. Else it is copied to once more. */
static void legs_restore(struct raid *raid, const struct letters *saved)
{
	unsigned i;

	for (i = 0; i < raid->n; i++) {
		struct raid_leg *l = &raid->legs[i];

		if (saved->at[i] == 'D' && leg_is_written(l)) {
			atomic_store(&l->state, LEG_DEAD);
		} else if (saved->at[i] == 'G' && (saved->equal || !saved->good)) {
			l->whole = false;
			atomic_store(&l->state, LEG_GOOD);
		}
	}
	array_look_at_legs(raid->array);
	if (saved->equal)
		raid->begins = RAID_NOSYNC;
}

static void orders_are_begun(struct raid *raid)
{
	unsigned i;

	for (i = 0; i < raid->n; i++)
		raid->legs[i].rebuilt = raid->legs[i].rebuild;
}

int raid_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct raid *raid = t->priv;
	size_t head = strlen(BEGINNING);
	struct letters letters;
	bool on_disk = raid->array && raid->array->on_disk;

	if (on_disk && len == strlen(BEGUN) && !memcmp(saved, BEGUN, len)) {
		orders_are_begun(raid);
		return 0;
	}
	if (!raid->array || on_disk || len < head || memcmp(saved, BEGINNING, head) ||
	    letters_read(raid, saved + head, len - head, &letters))
		return err_set(e, -EINVAL, "what was recorded of the legs is not right: '%.80s'", saved);
	legs_restore(raid, &letters);
	return 0;
}
