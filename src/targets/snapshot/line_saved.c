/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a later program has to know of a transient store. When the daemon is replaced, it is everything. In the record it is one
 * letter, which says that there was something: a later daemon cannot have it, and the snapshot is invalid.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/snapshot/line.h"

#define SAVED_USED "u"
#define SAVED_ALL 'a'

static void run_add(void *arg, uint64_t old, uint64_t new, unsigned run)
{
	uint64_t words[3] = { old, new, run };

	text_add_n(arg, (const char *)words, sizeof(words));
}

static void save_all(const struct cow *c, struct text *out)
{
	struct cow_saved head = { .next_free = c->next_free, .runs = exceptions_nodes(c->table), .invalid = !cow_is_valid(c),
				  .overflowed = atomic_load(&c->overflowed) };

	text_printf(out, "%c", SAVED_ALL);
	text_add_n(out, (const char *)&head, sizeof(head));
	exceptions_each(c->table, run_add, out);
}

int snap_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct snap_line *l = t->priv;

	(void)e;
	if (l->cow->owner != l || !l->cow->bound || l->cow->words.persistent || !l->active)
		return 0;
	if (at_rest)
		save_all(l->cow, out);
	else
		text_add(out, SAVED_USED);
	return 0;
}

int snap_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct snap_line *l = t->priv;
	size_t bytes = len - 1;

	l->lost = *saved != SAVED_ALL;
	if (l->lost)
		return 0;
	l->saved = malloc(bytes + 1);
	if (!l->saved)
		return err_set(e, -ENOMEM, "no memory for the exceptions of a snapshot");
	memcpy(l->saved, saved + 1, bytes);
	if (bytes < sizeof(*l->saved) || (bytes - sizeof(*l->saved)) / sizeof(l->saved->at[0]) != l->saved->runs)
		return err_set(e, -EINVAL, "what was saved of a snapshot is cut short");
	return 0;
}
