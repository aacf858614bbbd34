/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are generated for each reader. A device has eighty of them in /sys, and most are never looked at. So a
 * directory has a list of them, and a file becomes a node when its name is looked up.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "fronts/fuse/dev.h"

mode_t dev_text_mode(const struct dev_text *t)
{
	return S_IFREG | (t->store ? 0644 : 0444);
}

void dev_text_fill(const struct dev_node *n, struct text *out)
{
	const struct dev_text *t = n->text;

	if (t->show)
		t->show(n, out);
	else if (t->number)
		text_printf(out, "%" PRIu64 "\n", t->number(n));
	else
		text_add(out, t->fixed);
}

void dev_texts(struct dev_node *dir, const struct dev_text *t)
{
	unsigned n = 0;

	while (t[n].name)
		n++;
	dir->texts = t;
	dir->n_texts = n;
	dir->next_place += n;
}

static struct dev_entry *texts_enter(struct dev_node *dir, unsigned i)
{
	const struct dev_text *t = &dir->texts[i];
	struct dev_node *n = dev_node_new(dir->view, dev_text_mode(t), dev_id_below(dir, t->name, 0));
	struct dev_entry *e;

	if (!n)
		return NULL;
	n->live = true;
	n->device = dir->device;
	n->text = t;
	e = dev_entry_new(dir, t->name, n);
	if (!e)
		dev_node_check(n);
	return e;
}

/* No directory of ours with texts is deep. */
struct dev_node *dev_text_of(struct dev_node *dir, uint64_t id)
{
	struct dev_node *found = NULL;
	struct dev_entry *e = NULL;
	struct list *pos, *next;

	for (unsigned i = 0; i < dir->n_texts; i++)
		if (dev_id_below(dir, dir->texts[i].name, 0) == id) {
			e = dev_entry_get(dir, dir->texts[i].name);
			return e ? e->of : NULL;
		}
	list_each(pos, next, &dir->entries) {
		struct dev_node *n = container(pos, struct dev_entry, node)->of;

		if (!found && n->live && S_ISDIR(n->mode) && (uint32_t)n->id == (uint32_t)id)
			found = dev_text_of(n, id);
	}
	return found;
}

struct dev_entry *dev_entry_get(struct dev_node *dir, const char *name)
{
	struct dev_entry *e = dev_entry_find(dir, name);

	for (unsigned i = 0; !e && i < dir->n_texts; i++)
		if (!strcmp(dir->texts[i].name, name))
			return texts_enter(dir, i);
	return e;
}
