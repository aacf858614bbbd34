/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of exceptions that are to be made: see cow_entries.h. */
#include "targets/snapshot/cow_entries.h"

void entries_init(struct cow_entries *all)
{
	all->first = NULL;
	all->last = &all->first;
}

void entries_add(struct cow_entries *all, struct cow_entry *e)
{
	e->next = NULL;
	*all->last = e;
	all->last = &e->next;
}

struct cow_entry *entries_take(struct cow_entries *all)
{
	struct cow_entry *e = all->first;

	if (e)
		all->first = e->next;
	if (!all->first)
		entries_init(all);
	return e;
}

void entries_move(struct cow_entries *to, struct cow_entries *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	entries_init(from);
}

void entries_sort_in(struct cow_entries *all, struct cow_entry *e)
{
	struct cow_entry **at = &all->first;

	while (*at && (*at)->new_chunk < e->new_chunk)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	if (!e->next)
		all->last = &e->next;
}

static void entry_told(struct loop_msg *m)
{
	struct cow_entry *e = container(m, struct cow_entry, msg);

	e->done(e);
}

static void entry_told_here(struct loop_work *w)
{
	struct cow_entry *e = container(w, struct cow_entry, work);

	e->done(e);
}

void entries_tell(struct dm_io *here, struct cow_entries *all, int err)
{
	struct cow_entry *e;

	while ((e = entries_take(all))) {
		e->err = err;
		e->msg.run = entry_told;
		e->work.run = entry_told_here;
		list_init(&e->work.node);
		if (e->io == here)
			loop_defer(here->loop, &e->work);
		else
			loop_post(e->io->loop, &e->msg);
	}
}
