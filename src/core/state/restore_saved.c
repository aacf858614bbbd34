/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lines of a table kept in memory, for one that was just built again: see restore_item.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/state/recorder.h"
#include "core/state/restore_item.h"
#include "core/state/saved.h"

const char *restore_saved_value(struct dm_recorder *r, uint64_t id, size_t *len)
{
	char key[40];

	snprintf(key, sizeof(key), "saved/%" PRIu64, id);
	return r->get(r, key, len);
}

/* A line that begins anew is not the one that there was: somebody has to say that this will do. */
static int forgets(const struct dm_table *t, const struct restore_kept *k, struct err *e)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->targets[i].type->flags & DM_TARGET_FORGETS)
			return err_set(e, -ESTALE, "%s keeps its state in memory only, and it has ended with the daemon; resume begins anew",
				       t->targets[i].type->name);
	if (!k->altered)
		return 0;
	return err_set(e, -ESTALE, "what messages have told its lines was in memory only, and has ended with the daemon; resume begins anew");
}

static int recorded(struct dm_table *t, const struct restore_kept *k, struct err *e)
{
	const char *value;
	size_t len;
	int r;

	if (!t->records)
		return 0;
	value = restore_saved_value(k->recorder, k->id, &len);
	if (!value)
		return err_set(e, -ESTALE, "what its lines kept in memory was too much to be recorded (more than %u KiB), and has ended with "
			       "the daemon; resume begins anew", DM_SAVED_MOST / 1024);
	r = dm_saved_restore(t, value, len, e);
	t->saved = !r;
	return r ? err_append(e, "; resume begins anew") : 0;
}

int restore_saved(struct dm_table *t, const struct restore_kept *k, struct err *e)
{
	size_t len;

	if (k->handed) {
		t->saved = t->records && restore_saved_value(k->recorder, k->id, &len);
		return dm_saved_restore(t, k->handed->saved, k->handed->saved_len, e);
	}
	if (k->active && forgets(t, k, e))
		return e->code;
	return recorded(t, k, e);
}
