/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories of links that are brought up to date when they are looked at. Links that stay keep their position. */
#include "fronts/fuse/dev.h"

void dev_links_begin(struct dev_node *dir)
{
	struct list *pos, *next;

	list_each(pos, next, &dir->entries)
		container(pos, struct dev_entry, node)->wanted = false;
}

void dev_links_want(struct dev_node *dir, const char *name, const char *target)
{
	struct dev_entry *e = dev_entry_find(dir, name);

	if (!e && dev_add_link(dir, name, target))
		e = dev_entry_find(dir, name);
	if (e)
		e->wanted = e->of->passing = true;
}

void dev_links_end(struct dev_node *dir)
{
	struct list *pos, *next;

	list_each(pos, next, &dir->entries) {
		struct dev_entry *e = container(pos, struct dev_entry, node);

		if (!e->wanted)
			dev_entry_drop(e);
	}
}
