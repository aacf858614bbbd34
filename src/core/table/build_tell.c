/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a build produces besides the table: the label guard's warnings, the explanations for `check`, and how far stores
 * are used.
 */
#include <errno.h>
#include <string.h>

#include "core/table/build.h"
#include "core/device/device.h"

static void tell_image(struct dm_build *b, struct dm_build_word *w)
{
	w->seen = true;
	if (w->image)
		text_add_line(b->o.warnings, "table line %zu: '%s' is %s: its sectors are not those of the disk in it, and "
			      "a write can destroy that; %s", b->line, w->store->name, w->image, w->how);
}

/* There was no memory for looking for a label: reported once. */
static void tell_no_memory(struct dm_build *b, struct dm_build_word *w)
{
	w->label_err = 0;
	text_add_line(b->o.warnings, "table line %zu: no memory to see whether '%s' carries a disk label", b->line,
		      w->store->name);
}

void dm_build_guard(struct dm_build *b, struct dm_build_word *w, uint64_t offset)
{
	if (!b->o.warnings)
		return;
	if (!w->seen)
		tell_image(b, w);
	if (offset >= DM_LABEL_REACH)
		return;
	if (w->label_err == -ENOMEM)
		tell_no_memory(b, w);
	if (w->label_err != 1 || offset >= w->label.safe)
		return;
	text_add_line(b->o.warnings,
		      "table line %zu: '%s' carries a disk label (%s) in its first sectors and the line maps it from "
		      "sector %llu: a write there can destroy the label; an offset of %llu sectors or more is safe",
		      b->line, w->store->name, w->label.kind, (unsigned long long)offset,
		      (unsigned long long)w->label.safe);
}

/* Prints LEN sectors in the largest unit that gives a whole number: "512 bytes", "50 KiB", "5 MiB". */
static void tell_size(struct text *out, uint64_t len)
{
	static const char units[] = "KMGTPE";
	uint64_t n = len;
	unsigned i = 0;

	if (len % 2) {
		text_printf(out, "%llu bytes", (unsigned long long)len * DM_SECTOR);
		return;
	}
	for (n = len / 2; n % 1024 == 0 && i < 5; i++)
		n /= 1024;
	text_printf(out, "%llu %ciB", (unsigned long long)n, units[i]);
}

void dm_build_explain(struct dm_build *b, uint64_t start, uint64_t len)
{
	struct text *out;

	if (!b->o.explain)
		return;
	out = &b->o.explain->lines;
	b->lines_before = out->len;
	b->uses_before = b->o.explain->uses.len;
	text_printf(out, "sectors %llu to %llu (", (unsigned long long)start,
		    (unsigned long long)(start + len - 1));
	tell_size(out, len);
	text_printf(out, "): %s", b->type->name);
	b->explain_sep = " on ";
}

void dm_build_explained(struct dm_build *b)
{
	if (b->o.explain)
		text_add(&b->o.explain->lines, "\n");
}

void dm_build_unexplained(struct dm_build *b)
{
	if (!b->o.explain)
		return;
	text_cut(&b->o.explain->lines, b->lines_before);
	text_cut(&b->o.explain->uses, b->uses_before);
}

bool dm_build_reaches(struct dm_build *b)
{
	struct dm_table *t = b->table;
	struct hash_link *l, *next;

	if (!b->words.n)
		return true;
	t->reaches = arena_alloc(&t->arena, b->words.n * sizeof(*t->reaches));
	if (!t->reaches)
		return false;
	hash_each(l, next, &b->words) {
		const struct dm_build_word *w = container(l, struct dm_build_word, by_word);

		if (w->held)
			t->reaches[t->n_reaches++] = (struct dm_reach){ w->store, w->end };
	}
	return true;
}

static size_t devices_count(const struct dm_table *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n_stores; i++)
		n += t->stores[i]->device != NULL;
	return n;
}

bool dm_build_uses(struct dm_build *b)
{
	struct dm_table *t = b->table;
	size_t n = devices_count(t);
	struct hash_link *l, *next;

	if (!n)
		return true;
	t->uses = arena_alloc(&t->arena, n * sizeof(*t->uses));
	if (!t->uses)
		return false;
	hash_each(l, next, &b->stores) {
		const struct dm_build_word *w = container(l, struct dm_build_word, by_store);
		struct dm_use *u;

		if (!w->store->device)
			continue;
		u = &t->uses[t->n_uses++];
		*u = (struct dm_use){ .table = t, .store = w->store, .reads = w->store->readonly || !w->written };
		list_append(&w->store->device->uses, &u->node);
	}
	return true;
}
