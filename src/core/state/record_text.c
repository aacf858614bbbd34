/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_text.h. A line is a key and its value; words that may contain blanks are quoted as in a table. */
#include "core/state/record_text.h"

#include <inttypes.h>

#include "core/device/loopdev.h"
#include "core/device/move_own.h"
#include "core/device/parts.h"
#include "core/path/regions.h"
#include "core/state/lost.h"
#include "core/table/table.h"

/* What D was before its transition, which may still turn back. */
static void view_undecided(struct dm_view *v, const struct dm_device *d)
{
	const struct dm_moving *g = &d->moving;

	if (g->swapped)
		v->slots[DM_SLOT_ACTIVE] = g->leaving;
	if (g->swapped && g->from_slot)
		v->slots[DM_SLOT_INACTIVE] = g->incoming;
	v->suspended = g->was_suspended;
	v->there = !g->move->plan->creates;
}

void dm_view_device(struct dm_view *v, const struct dm_device *d)
{
	const struct dm_move *m = d->moving.move;

	*v = (struct dm_view){ .slots = { d->active, d->inactive }, .there = true, .suspended = d->state == DM_SUSPENDED };
	v->suspended = v->suspended && !(d->active && d->active->lost && d->active->lost->was_active);
	if (m && !d->moving.decided) {
		view_undecided(v, d);
	} else if (m) {
		v->suspended = m->plan->after == DM_SUSPENDED;
		v->there = !m->plan->removes;
	}
}

static void device_flag(const char *name, struct text *out)
{
	text_add(out, " ");
	text_add(out, name);
}

static void device_flags(const struct dm_device *d, const struct dm_view *v, struct text *out)
{
	const struct {
		bool is;
		const char *name;
	} flags[] = {
		{ v->suspended, "suspended" }, { d->readonly, "readonly" }, { d->locked, "locked" }, { d->ever_loaded, "loaded" },
		{ d->ever_active, "lived" }, { d->deferred, "deferred" },
	};
	size_t i;

	text_add(out, "flags");
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (flags[i].is)
			device_flag(flags[i].name, out);
	text_add(out, "\n");
}

static void device_regions(const struct dm_regions *all, struct text *out)
{
	size_t i, k;

	for (i = 0; all && i < all->n; i++) {
		const struct dm_region *g = all->regions[i];

		if (g->leaving)
			continue;
		text_printf(out, "region %" PRIu32 " %" PRIu64 "+%" PRIu64 " %" PRIu64 " %d%s%s", g->id, g->start,
			    g->end - g->start, g->step, g->precise + (g->n_bounds > 0), g->precise ? " precise_timestamps" : "",
			    g->n_bounds ? " histogram:" : "");
		for (k = 0; k < g->n_bounds; k++)
			text_printf(out, "%s%" PRIu64, k ? "," : "", g->bounds[k]);
		text_add(out, " ");
		text_add_word(out, g->program);
		text_add(out, " ");
		text_add_word(out, g->aux);
		text_add(out, "\n");
	}
}

static void device_word(const char *key, const char *word, struct text *out)
{
	text_add(out, key);
	text_add(out, " ");
	text_add_word(out, word);
	text_add(out, "\n");
}

static void number(const char *key, uint64_t value, const char *end, struct text *out)
{
	text_add(out, key);
	text_add_u64(out, value);
	text_add(out, end);
}

void dm_record_device_text(const struct dm_device *d, const struct dm_view *v, struct text *out)
{
	const struct dm_geometry *g = &d->geometry;

	device_word("name", d->kernel_name, out);
	if (*d->uuid)
		device_word("uuid", d->kernel_uuid, out);
	number("number ", d->recorded.number, "\n", out);
	device_flags(d, v, out);
	number("event ", d->event_nr, "\n", out);
	number("read-ahead ", d->read_ahead, "\n", out);
	number("times ", d->active_since, " ", out);
	number("", d->last_event, "\n", out);
	if (g->cylinders || g->heads || g->sectors || g->start)
		text_printf(out, "geometry %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", g->cylinders, g->heads, g->sectors,
			    g->start);
	if (v->slots[DM_SLOT_ACTIVE])
		number("active ", v->slots[DM_SLOT_ACTIVE]->record, "\n", out);
	if (v->slots[DM_SLOT_ACTIVE] && v->slots[DM_SLOT_ACTIVE]->altered)
		text_add(out, "altered\n");
	if (v->slots[DM_SLOT_INACTIVE])
		number("inactive ", v->slots[DM_SLOT_INACTIVE]->record, "\n", out);
	device_regions(d->regions, out);
}

void dm_record_stores_text(const struct dm_table *t, struct text *out)
{
	size_t i;

	for (i = 0; i < t->n_stores; i++) {
		const struct dm_store *s = t->stores[i];

		text_add(out, "store ");
		text_add(out, s->type->name);
		text_add(out, " ");
		if (s->type->known_by)
			s->type->known_by(s, out);
		dm_text_store(out, s);
		text_add(out, "\n");
	}
}

static void disk_parts(const struct dm_device *d, struct text *out)
{
	const struct dm_device *p;

	for (p = dm_part_first(d); p; p = dm_part_next(p))
		text_printf(out, "part %u %" PRIu64 " %" PRIu64 "\n", p->part, p->part_start, dm_device_sectors(p));
}

void dm_record_disk_text(const struct dm_device *d, const struct dm_table *t, struct text *out)
{
	const char *file;
	size_t len;

	text_printf(out, "minor %" PRIu32 "\nrefs %u\nread-ahead %" PRIu32 "\n%s%s", d->minor, d->refs, d->read_ahead,
		    d->readonly ? "readonly\n" : "", d->locked ? "locked\n" : "");
	disk_parts(d, out);
	if (d->loopdev)
		dm_loop_text(&d->loopdev->is, out);
	if (t->lost) {
		file = dm_lost_disk_file(t->lost, &len);
		text_add_n(out, file, len);
		return;
	}
	text_add(out, "word ");
	text_add_word(out, t->stores[0]->name);
	text_add(out, "\n");
	dm_record_stores_text(t, out);
}

static void table_line(const struct dm_target *t, bool secret, struct text *out)
{
	text_add_u64(out, t->start);
	text_add(out, " ");
	text_add_u64(out, t->len);
	text_add(out, " ");
	text_add(out, t->type->name);
	if (t->type->table && !secret) {
		text_add(out, " ");
		t->type->table(t, out);
	}
	text_add(out, "\n");
}

void dm_record_lines_text(const struct dm_table *t, struct text *out)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		table_line(&t->targets[i], false, out);
}

/* The words of a table with keys are nowhere but in memory. */
void dm_record_table_text(const struct dm_table *t, struct text *out)
{
	size_t i;

	if (t->lost) {
		text_add_n(out, t->lost->value, t->lost->len);
		return;
	}
	if (t->readonly)
		text_add(out, "readonly\n");
	if (t->secret)
		text_add(out, "secret\n");
	dm_record_stores_text(t, out);
	text_add(out, DM_RECORD_LINES);
	for (i = 0; i < t->n; i++)
		table_line(&t->targets[i], t->secret, out);
}
