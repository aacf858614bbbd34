/* SPDX-License-Identifier: BSD-2-Clause */
/* From the values of a recorder to devices without tables, and what waits for what: see restore.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "core/device/devices.h"
#include "core/path/regions.h"
#include "core/state/done.h"
#include "core/state/lost.h"
#include "core/state/recorder.h"
#include "core/state/restore_item.h"

#define WORDS_MOST 16	/* of a region */

uint32_t dm_restore_major(struct dm_recorder *r)
{
	size_t len;
	const char *value = r->get(r, "world", &len);
	char head[40];
	uint32_t major;

	if (!value)
		return 0;
	snprintf(head, sizeof(head), "%.*s", len < sizeof(head) ? (int)len : (int)sizeof(head) - 1, value);
	return sscanf(head, "major %" SCNu32, &major) == 1 ? major : 0;
}

char *restore_table(struct restore *all, uint64_t id)
{
	const char *value;
	char key[40], *copy;
	size_t len;

	snprintf(key, sizeof(key), "table/%" PRIu64, id);
	value = all->recorder->get(all->recorder, key, &len);
	copy = value ? strndup(value, len) : NULL;
	if (value && !copy)
		all->no_memory = true;
	return copy;
}

/* What lacks memory is not lost: no daemon starts then, and the state stays as it is. */
static int memory_sufficed(const struct restore *all)
{
	return all->no_memory ? err_set(all->err, -ENOMEM, "no memory for the devices of the state") : 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static struct restore_item *item_new(struct restore *all)
{
	size_t room = all->room ? 2 * all->room : 64;
	struct restore_item *more;

	if (all->n < all->room)
		return &all->items[all->n++];
	more = realloc(all->items, room * sizeof(*more));
	if (!more)
		return NULL;
	all->items = more;
	all->room = room;
	return &all->items[all->n++];
}

static int see_device(struct restore *all, const char *minor, const char *value, size_t len)
{
	struct restore_item *i = item_new(all);
	char *copy = strndup(value, len);
	char rest;

	if (!i || !copy) {
		free(copy);
		all->n -= i != NULL;
		return err_set(all->err, -ENOMEM, "no memory for the devices of the state");
	}
	*i = (struct restore_item){ .value = copy };
	if (sscanf(minor, "%" SCNu32 "%c", &i->minor, &rest) == 1)
		return 0;
	return err_set(all->err, -EINVAL, "the state has a device of number '%.40s'", minor);
}

static int see(void *arg, const char *key, const char *value, size_t len)
{
	struct restore *all = arg;
	uint64_t id;

	if (!strncmp(key, "device/", 7))
		return see_device(all, key + 7, value, len);
	if (!strncmp(key, "done/", 5))
		dm_done_known(all->world, key + 5, value, len);
	else if (sscanf(key, "table/%" SCNu64, &id) == 1 && id > all->world->records.last_table)
		all->world->records.last_table = id;
	return 0;
}

static void see_region(void *arg, char *words)
{
	struct restore_item *i = arg;
	struct restore_region *r = malloc(sizeof(*r));

	if (!r) {
		i->all->no_memory = true;
		return;
	}
	*r = (struct restore_region){ .words = words };
	*i->regions_tail = r;
	i->regions_tail = &r->next;
}

static int by_number(const void *a, const void *b)
{
	const struct restore_item *x = a, *y = b;

	return x->is.number < y->is.number ? -1 : x->is.number > y->is.number;
}

static int by_minor(const void *a, const void *b)
{
	const struct restore_item *x = *(struct restore_item *const *)a, *y = *(struct restore_item *const *)b;

	return x->minor < y->minor ? -1 : x->minor > y->minor;
}

static struct restore_item *find_minor(const struct restore *all, uint32_t minor)
{
	const struct restore_item like = { .minor = minor }, *key = &like;
	struct restore_item **found = bsearch(&key, all->by_minor, all->n, sizeof(*all->by_minor), by_minor);

	return found ? *found : NULL;
}

static int read_all(struct restore *all)
{
	size_t k;

	if (all->recorder->each(all->recorder, see, all, all->err))
		return all->err->code;
	for (k = 0; k < all->n; k++) {
		struct restore_item *i = &all->items[k];

		i->all = all;
		i->regions_tail = &i->regions;
		if (dm_record_read_device(&i->is, i->value, see_region, i, all->err))
			return err_prefix(all->err, "device/%" PRIu32 ": ", i->minor);
		if (i->is.number > all->world->records.last_device)
			all->world->records.last_device = i->is.number;
	}
	if (all->n)
		qsort(all->items, all->n, sizeof(*all->items), by_number);
	all->by_minor = calloc(all->n + 1, sizeof(*all->by_minor));
	if (!all->by_minor)
		return err_set(all->err, -ENOMEM, "no memory for the devices of the state");
	for (k = 0; k < all->n; k++)
		all->by_minor[k] = &all->items[k];
	qsort(all->by_minor, all->n, sizeof(*all->by_minor), by_minor);
	return 0;
}

/* "ID START+LENGTH STEP N FEATURE... PROGRAM WORD": but for the id, what the message that made it had. */
static int region_make(struct dm_device *d, struct restore_region *g, struct err *e)
{
	char *at = g->words, *argv[WORDS_MOST] = { "@stats_create" }, *id = words_next(&at, e);
	struct text out = TEXT_INIT;
	uint64_t got;
	int argc = 1, r;

	while (argc < WORDS_MOST && (argv[argc] = words_next(&at, e)))
		argc++;
	r = !id || words_u64(id, &g->id) ? -EINVAL : dm_regions_message(NULL, d, argc, argv, &out, e);
	if (!r && !words_u64(text_str(&out), &got))
		g->made = dm_regions_find(d, got);
	text_free(&out);
	return r;
}

/* They are recorded in the order of their ids, which they get when all are there: until then they have the lowest. */
void restore_regions(struct restore_item *i)
{
	struct restore_region *g;
	struct err e = ERR_INIT;

	for (g = i->regions; g; g = g->next)
		if (region_make(i->device, g, &e))
			log_error_of(i->device->name, "'%s': a region of its counters could not be brought back: %s", i->device->name, e.text);
	for (g = i->regions; g; g = g->next)
		if (g->made)
			g->made->id = (uint32_t)g->id;
}

/* --- making ---------------------------------------------------------------------------------------------------------- */

static int make_device(struct restore_item *i)
{
	struct dm_world *w = i->all->world;
	const struct dm_cmd c = { .world = w, .name = i->is.name, .has_minor = true, .minor = i->minor,
				  .flags = i->is.readonly ? DM_WITH_READONLY : 0 };
	int r = dm_device_new(&i->device, &c, i->is.name, i->is.uuid, i->all->err);

	if (!r)
		dm_device_changed(i->device, DM_ADDED);
	return r;
}

static void stands_on(struct restore_item *upper, struct restore_item *lower)
{
	struct restore_above *a = malloc(sizeof(*a));

	if (!a) {
		upper->all->no_memory = true;
		return;
	}
	*a = (struct restore_above){ .next = lower->above, .item = upper };
	lower->above = a;
	upper->waits++;
}

/* What the lines of its stores say: "store device MAJOR:MINOR". */
static void waits_for(struct restore_item *i, uint64_t id)
{
	char *value = id ? restore_table(i->all, id) : NULL;
	struct dm_record_table r;
	uint32_t major, minor;
	const char *at;

	if (!value)
		return;
	dm_record_read_table(&r, value);
	for (at = r.stores; at < r.stores + r.stores_len; at = words_line(at) + 1) {
		struct restore_item *lower = NULL;

		if (sscanf(at, "store device %" SCNu32 ":%" SCNu32, &major, &minor) == 2 && major == i->all->world->major)
			lower = find_minor(i->all, minor);
		if (lower && lower != i)
			stands_on(i, lower);
	}
	free(value);
}

static int make_all(struct restore *all)
{
	size_t k;
	int r = 0;

	for (k = 0; k < all->n && !r; k++)
		r = make_device(&all->items[k]);
	for (k = 0; k < all->n && !r; k++) {
		waits_for(&all->items[k], all->items[k].is.tables[DM_SLOT_ACTIVE]);
		waits_for(&all->items[k], all->items[k].is.tables[DM_SLOT_INACTIVE]);
	}
	all->left = all->n;
	return r ? r : memory_sufficed(all);
}

static void free_all(struct restore *all)
{
	struct restore_above *a, *next;
	struct restore_region *g;
	size_t k;

	for (k = 0; k < all->n; k++) {
		for (a = all->items[k].above; a; a = next) {
			next = a->next;
			free(a);
		}
		while ((g = all->items[k].regions)) {
			all->items[k].regions = g->next;
			free(g);
		}
		free(all->items[k].value);
		free(all->items[k].table);
	}
	free(all->items);
	free(all->by_minor);
}

/* A state that has nothing yet begins with the number of its devices. */
static int begin_record(struct dm_world *w, struct err *e)
{
	char value[40];
	int n = snprintf(value, sizeof(value), "major %" PRIu32 "\n", w->major);

	if (dm_restore_major(w->records.recorder) == w->major)
		return 0;
	dm_record_value(w, "world", value, (size_t)n);
	return dm_record_commit(w, NULL, e);
}

int dm_restore(struct dm_world *w, struct dm_recorder *recorder, struct dm_restored *n, struct err *e)
{
	struct restore all = { .world = w, .recorder = recorder, .err = e };
	const uint64_t usual = w->open_timeout, most = DM_RESTORE_OPEN * TIMERS_SECOND;
	int r;

	list_init(&all.ready);
	w->records.recorder = recorder;
	w->records.mute = true;
	w->open_timeout = usual && usual < most ? usual : most;
	r = read_all(&all);
	if (!r)
		r = restore_disks(&all);
	if (!r)
		r = make_all(&all);
	if (!r) {
		restore_items(&all);
		r = memory_sufficed(&all);
	}
	w->open_timeout = usual;
	w->records.mute = false;
	*n = (struct dm_restored){ .devices = all.n, .lost = all.lost };
	free_all(&all);
	return r ? r : begin_record(w, e);
}
