/* SPDX-License-Identifier: BSD-2-Clause */
/* What snapshot and snapshot-merge share: see line.h. */
#include "targets/snapshot/line.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "core/world.h"

#define RUN_MOST 1024u		/* chunks that are looked at for one request */

/* --- words -------------------------------------------------------------------------------------------------------------- */

/* As on Linux, the first letter says it; and the second one, of P. */
static void words_kind(struct snap_line *l, struct dm_args *a)
{
	const char *w = dm_arg_word(a, "<P|PO|N>");
	int kind = toupper((unsigned char)w[0]);

	l->words.persistent = kind == 'P';
	l->words.overflows = l->words.persistent && toupper((unsigned char)w[1]) == 'O';
	if (!dm_args_failed(a) && ((kind != 'P' && kind != 'N') || (kind == 'P' && w[1] && !l->words.overflows)))
		dm_args_fail(a, "'%.32s' is no kind of exception store: P (persistent), PO (which reports that it is full) or N (transient) would "
			     "be right", w);
}

static void words_chunk(struct snap_line *l, struct dm_args *a)
{
	uint64_t chunk = dm_arg_sectors(a, "<chunk size>", 0, UINT32_MAX);

	l->words.chunk = (uint32_t)chunk;
	if (dm_args_failed(a))
		return;
	if (chunk && !snap_is_chunk(chunk))
		dm_args_fail(a, "chunks of %" PRIu64 " sectors cannot be used: a power of two up to %u would be right", chunk, SNAP_MOST_CHUNK);
	else if (!chunk && !l->words.persistent)
		dm_args_fail(a, "a transient store needs a chunk size, such as 16");
}

static void words_feature(struct snap_line *l, struct dm_args *a)
{
	const char *w = dm_arg_word(a, "<feature>");

	if (!strcasecmp(w, "discard_zeroes_cow"))
		l->zeroes_cow = true;
	else if (!strcasecmp(w, "discard_passdown_origin"))
		l->passdown = true;
	else if (!dm_args_failed(a))
		dm_args_fail(a, "'%.64s' is no feature of snapshots: discard_zeroes_cow or discard_passdown_origin would be right", w);
}

static void words_features(struct snap_line *l, struct dm_args *a)
{
	uint64_t n;

	if (!dm_args_left(a))
		return;
	for (n = dm_arg_number(a, "<#features>", 0, 2); n && !dm_args_failed(a); n--)
		words_feature(l, a);
	if (!dm_args_failed(a) && l->passdown && !l->zeroes_cow)
		dm_args_fail(a, "discard_passdown_origin goes only with discard_zeroes_cow");
}

static uint32_t line_logical(const struct snap_line *l)
{
	uint32_t a = l->origin_at.store->limits.logical, b = l->cow_at.store->limits.logical;

	return a > b ? a : b;
}

/* --- who may have the store --------------------------------------------------------------------------------------------- */

/* The lines that name L's store: one that was active, one that was not yet, and how many. */
static unsigned line_others(const struct snap_line *l, struct snap_line **source, struct snap_line **next)
{
	struct list *n, *following;
	unsigned count = 0;

	*source = *next = NULL;
	list_each(n, following, &l->origin->lines) {
		struct snap_line *o = container(n, struct snap_line, node);

		if (o->cow != l->cow)
			continue;
		*(o->active ? source : next) = o;
		count++;
	}
	return count;
}

/* Is another store than L's being merged, or about to be? */
static bool another_is_merged(const struct snap_line *l)
{
	struct list *n, *next;

	list_each(n, next, &l->origin->lines) {
		const struct snap_line *other = container(n, struct snap_line, node);

		if (other->merges && other->cow != l->cow)
			return true;
	}
	return false;
}

/* May there be one more line with this store? As on Linux; but one that is not active yet may be loaded anew on its own device. */
static int line_check(const struct snap_line *l, struct dm_args *a)
{
	struct snap_line *source, *next;
	unsigned n = line_others(l, &source, &next);

	if (n == 2 || next)
		return dm_args_fail(a, "the store '%.200s' is that of two tables already", l->cow_at.store->name);
	if (source && l->merges && another_is_merged(l))
		return dm_args_fail(a, "another snapshot of '%.200s' is being merged; only one can be at a time", l->origin_at.store->name);
	return 0;
}

static int line_devices(struct snap_line *l, struct dm_args *a)
{
	int err;

	if (dm_store_end(l->cow_at.store) == dm_store_end(l->origin_at.store))
		return dm_args_fail(a, "'%.200s' cannot be its own exception store", l->cow_at.store->name);
	if (l->words.chunk && l->words.chunk % (line_logical(l) / DM_SECTOR))
		return dm_args_fail(a, "chunks of %u sectors are smaller than a block of the devices, which has %u", l->words.chunk,
				    line_logical(l) / DM_SECTOR);
	if (origin_get(&l->origin, &l->origin_at, a->err) || cow_get(&l->cow, &l->cow_at, l->words.persistent, a->err))
		return a->err->code;
	err = line_check(l, a);
	if (err)
		return err;
	list_append(&l->origin->lines, &l->node);
	l->listed = true;
	cow_look(l->cow);
	return 0;
}

int snap_ctr(struct dm_target *t, struct dm_args *a, bool merges)
{
	struct snap_line *l = t->priv;
	int err;

	l->table = t->table;
	l->sectors = t->len;
	l->merges = merges;
	l->origin_at = merges ? dm_arg_device(a, "<origin>", t->len) : dm_arg_device_read(a, "<origin>", t->len);
	l->cow_at = dm_arg_device(a, "<COW device>", DM_WHOLE);
	words_kind(l, a);
	words_chunk(l, a);
	words_features(l, a);
	if (!dm_args_failed(a) && merges && !l->words.persistent)
		return dm_args_fail(a, "a transient store cannot be merged");
	if (dm_args_may_reserve(a)) {
		err = line_devices(l, a);
		if (err)
			return err;
	}
	return dm_args_rest_ignored(a);
}

void snap_dtr(struct dm_target *t)
{
	struct snap_line *l = t->priv;

	if (l->listed)
		list_remove(&l->node);
	if (l->joined)
		cow_unbind(l->cow);
	cow_put(l->cow);
	origin_put(l->origin);
	free(l->saved);
}

/* --- hooks -------------------------------------------------------------------------------------------------------------- */

static bool same_device(const struct snap_line *a, const struct snap_line *b)
{
	return a->table->device == b->table->device;
}

static int refuse(struct dm_step *s, const char *why)
{
	return err_set(s->err, -EINVAL, "%s", why);
}

/* The two lines of a reload are on one device, which sees to their order itself. */
static int line_may_have(const struct snap_line *l, struct dm_step *s)
{
	struct snap_line *source, *next;

	line_others(l, &source, &next);
	if (l->cow->origin && l->cow->origin != l->origin)
		return refuse(s, "its store has what belongs to another origin: remove that snapshot first");
	if (source == l && next && !same_device(l, next))
		return refuse(s, "its store is to be taken over by another device: resume that, or clear its inactive table");
	if (source && source != l && atomic_load(&source->live))
		return refuse(s, "its store is in use by another device, which has to be suspended first");
	if (l->cow->owner && l->cow->owner != l && atomic_load(&l->cow->owner->live))
		return refuse(s, "its store is in use by another device");
	return 0;
}

static void line_not_bound(struct cow_bind *b)
{
	atomic_store(&container(b, struct snap_line, bind)->live, false);
}

void snap_preresume(struct dm_target *t, struct dm_step *s)
{
	struct snap_line *l = t->priv;
	int err = line_may_have(l, s);

	if (err) {
		dm_step_done(s, err);
		return;
	}
	if (!l->joined)
		l->cow->users++;
	l->joined = true;
	l->cow->origin = l->origin;
	atomic_store(&l->live, true);
	origin_look(l->origin);
	l->bind = (struct cow_bind){ .cow = l->cow, .words = l->words, .sectors = t->len, .logical = line_logical(l), .step = s,
				     .failed = line_not_bound, .lost = l->lost, .saved = l->saved };
	cow_bind(&l->bind);
}

/* A line that had its store taken by the one that was to follow it has it again, if that never came to be. */
static bool line_gets_back(const struct snap_line *l)
{
	const struct snap_line *owner = l->cow->owner;

	return owner && owner != l && !atomic_load(&owner->live) && same_device(l, owner);
}

int snap_own(struct snap_line *l, void (*done)(struct origin_change *c))
{
	struct cow *cow = l->cow;

	if (!atomic_load(&l->handed) || line_gets_back(l)) {
		if (cow->owner && cow->owner != l)
			atomic_store(&cow->owner->handed, true);
		atomic_store(&l->handed, false);
		cow->owner = l;
		cow->words.overflows = cow->words.persistent && l->words.overflows;	/* all other words stay; as on Linux */
		atomic_store(&cow->events, l->table);
	}
	l->active = true;
	l->change.done = done;
	if (l->merges || atomic_load(&l->handed)) {
		origin_leave(l->origin, l->merges ? cow : NULL, &l->change);
		return 0;
	}
	return origin_join(l->origin, cow, l->sectors, &l->change);
}

void snap_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct snap_line *l = t->priv;

	atomic_store(&l->live, false);
	dm_step_done(s, 0);
}

/* Whoever copied for it, or knew its line, has ended. */
static void line_left(struct origin_change *c)
{
	struct snap_line *l = container(c, struct snap_line, change);

	if (l->cow->owner == l)
		l->cow->owner = NULL;
	l->joined = false;
	cow_unbind(l->cow);
	dm_step_done(l->step, 0);
}

void snap_retire(struct dm_target *t, struct dm_step *s)
{
	struct snap_line *l = t->priv;
	bool owns = l->cow->owner == l;

	l->step = s;
	l->change.done = line_left;
	if (owns)
		atomic_store(&l->cow->events, NULL);
	origin_leave(l->origin, owns ? l->cow : NULL, &l->change);
}

/* --- what is shown ------------------------------------------------------------------------------------------------------ */

/* Of a line that is to take its store over from another one, and has not yet, the chunk size is that of the store: 0, as on Linux. */
void snap_table(const struct dm_target *t, struct text *out)
{
	const struct snap_line *l = t->priv;
	bool bound = l->cow && l->cow->bound, waits = bound && !l->joined;
	const struct cow_words *w = bound && !waits ? &l->cow->words : &l->words;
	uint32_t chunk = waits ? 0 : bound ? l->cow->chunk : l->words.chunk;

	dm_text_store(out, l->origin_at.store);
	text_add(out, " ");
	dm_text_store(out, l->cow_at.store);
	text_printf(out, " %s %u", !w->persistent ? "N" : w->overflows ? "PO" : "P", chunk);
	if (l->zeroes_cow)
		text_printf(out, " %u discard_zeroes_cow%s", 1u + l->passdown, l->passdown ? " discard_passdown_origin" : "");
}

void snap_status(const struct dm_target *t, struct text *out)
{
	const struct snap_line *l = t->priv;
	uint64_t allocated, total, metadata;

	if (!snap_is_valid(l)) {
		text_add(out, "Invalid");
	} else if (atomic_load(&l->cow->merge_failed)) {
		text_add(out, "Merge failed");
	} else if (atomic_load(&l->cow->overflowed)) {
		text_add(out, "Overflow");
	} else if (!l->cow->bound) {
		text_add(out, "Unknown");
	} else {
		cow_look(l->cow);
		cow_usage(l->cow, &allocated, &total, &metadata);
		text_printf(out, "%" PRIu64 "/%" PRIu64 " %" PRIu64, allocated, total, metadata);
	}
}

void snap_measure(const struct dm_target *t, struct text *out)
{
	const struct snap_line *l = t->priv;

	text_add(out, ",snap_origin_name=");
	dm_text_store(out, l->origin_at.store);
	text_add(out, ",snap_cow_name=");
	dm_text_store(out, l->cow_at.store);
	text_printf(out, ",snap_valid=%c,snap_merge_failed=%c,snapshot_overflowed=%c;", snap_is_valid(l) ? 'y' : 'n',
		    atomic_load(&l->cow->merge_failed) ? 'y' : 'n', atomic_load(&l->cow->overflowed) ? 'y' : 'n');
}

/* Those of both devices; discards only where the words ask for them. */
void snap_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct snap_line *line = t->priv;

	dm_limits_stack(l, &line->origin_at.store->limits);
	dm_limits_stack(l, &line->cow_at.store->limits);
	l->discard = line->zeroes_cow;
}

/* --- runs --------------------------------------------------------------------------------------------------------------- */

/* What follows in the same place goes with one request; but nobody looks for ever. */
uint64_t snap_run(const struct cow *c, uint64_t sector, uint64_t count, bool *found, uint64_t *at)
{
	uint64_t chunk = cow_chunk(c, sector), n = cow_room(c, sector), new_chunk = 0, next = 0;

	*found = cow_find(c, chunk, &new_chunk);
	*at = *found ? (new_chunk << c->shift) + (sector & (c->chunk - 1)) : sector;
	while (n < count && n < (uint64_t)RUN_MOST << c->shift) {
		bool also = cow_find(c, ++chunk, &next);

		if (also != *found || (also && next != ++new_chunk))
			break;
		n += c->chunk;
	}
	return n < count ? n : count;
}
