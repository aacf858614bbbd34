/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an array without metadata keeps in memory: which of its legs are dead, so that a later daemon does not take one of them for
 * the one that counts. "raid 1 AD": a letter for each leg, D for a dead one; followed by " equal", if it stands still and the others
 * are. One with metadata saves nothing.
 */
#include <string.h>

#include "targets/raid/array.h"

#define BEGINNING "raid 1 "

int raid_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct raid *raid = t->priv;
	const struct array *a = raid->array;
	unsigned i;

	(void)e;
	if (!a || a->on_disk)
		return 0;
	text_add(out, BEGINNING);
	for (i = 0; i < raid->n; i++)
		text_add(out, leg_state(&raid->legs[i]) == LEG_DEAD ? "D" : "A");
	if (at_rest && atomic_load(&a->begun) && !atomic_load(&a->differs) && !array_legs(a, LEG_BEHIND))
		text_add(out, " equal");
	return 0;
}

static int saved_check(const struct raid *raid, const char *letters, size_t len)
{
	unsigned dead = 0, i;

	if (len != raid->n && (len != raid->n + 6 || memcmp(letters + raid->n, " equal", 6)))
		return -EINVAL;
	for (i = 0; i < raid->n; i++) {
		if (letters[i] != 'A' && letters[i] != 'D')
			return -EINVAL;
		dead += letters[i] == 'D' || leg_state(&raid->legs[i]) != LEG_GOOD;
	}
	return dead < raid->n ? 0 : -EINVAL;
}

int raid_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct raid *raid = t->priv;
	size_t head = strlen(BEGINNING);
	unsigned i;

	if (!raid->array || raid->array->on_disk || len < head || memcmp(saved, BEGINNING, head) ||
	    saved_check(raid, saved + head, len - head))
		return err_set(e, -EINVAL, "what was recorded of the legs is not right: '%.80s'", saved);
	for (i = 0; i < raid->n; i++)
		if (saved[head + i] == 'D' && leg_is_written(&raid->legs[i]))
			atomic_store(&raid->legs[i].state, LEG_DEAD);
	array_look_at_legs(raid->array);
	if (len > head + raid->n)
		raid->begins = RAID_NOSYNC;
	return 0;
}
