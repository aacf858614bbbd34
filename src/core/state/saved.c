/* SPDX-License-Identifier: BSD-2-Clause */
/* See saved.h. */
#include "core/state/saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/device/device.h"
#include "core/world.h"

static int line_failed(const struct dm_table *t, size_t line, int r, struct err *e)
{
	if (!e->code)
		err_set(e, r, "%s", strerror(-r));
	return err_prefix(e, "table line %zu: %s: ", line + 1, t->targets[line].type->name);
}

static int line_text(const struct dm_table *t, size_t line, bool recorded, struct text *out, struct err *e)
{
	struct text one = TEXT_SECRET;
	int r = t->targets[line].type->save(&t->targets[line], !recorded, &one, e);

	if (!r && one.failed)
		r = err_set(e, -ENOMEM, "no memory for what it keeps");
	if (!r && one.len) {
		text_printf(out, "%zu %zu\n", line, one.len);
		text_add_n(out, one.s, one.len);
		text_add(out, "\n");
	}
	text_free(&one);
	return r ? line_failed(t, line, r, e) : 0;
}

int dm_saved_text(const struct dm_table *t, bool recorded, struct text *out, struct err *e)
{
	int r = 0;
	size_t i;

	for (i = 0; i < t->n && !r; i++) {
		const struct dm_type *type = t->targets[i].type;

		if (type->save && (!recorded || type->flags & DM_TARGET_RECORDED))
			r = line_text(t, i, recorded, out, e);
	}
	return r ? r : out->failed ? err_set(e, -ENOMEM, "no memory for what its lines keep") : 0;
}

static int line_restore(struct dm_table *t, size_t line, const char *at, size_t len, struct err *e)
{
	struct dm_target *target = &t->targets[line];
	struct text copy = TEXT_SECRET;
	int r;

	text_add_n(&copy, at, len);
	if (copy.failed)
		r = -ENOMEM;
	else if (!target->type->restore)
		r = err_set(e, -EINVAL, "it keeps nothing");
	else
		r = target->type->restore(target, copy.s, len, e);
	text_free(&copy);
	return r ? line_failed(t, line, r, e) : 0;
}

/* "LINE BYTES\n" at AT, of which LEFT bytes are there: their number; 0: it is damaged. */
static size_t read_head(const char *at, size_t left, size_t *line, size_t *len)
{
	const char *end = memchr(at, '\n', left < 48 ? left : 48);
	char head[48], rest;

	if (!end)
		return 0;
	memcpy(head, at, (size_t)(end - at));
	head[end - at] = '\0';
	return sscanf(head, "%zu %zu%c", line, len, &rest) == 2 ? (size_t)(end - at) + 1 : 0;
}

int dm_saved_restore(struct dm_table *t, const char *value, size_t len, struct err *e)
{
	size_t n, line, bytes;
	int r;

	for (; len; value += bytes + 1, len -= bytes + 1) {
		n = read_head(value, len, &line, &bytes);
		if (!n || line >= t->n || bytes >= len - n)
			return err_set(e, -EINVAL, "what its lines kept in memory is damaged, or of a later version");
		value += n;
		len -= n;
		r = line_restore(t, line, value, bytes, e);
		if (r)
			return r;
	}
	return 0;
}

static void touch(struct dm_device *d, const struct dm_table *t)
{
	if (t && t->saved && atomic_load(&t->unsaved))
		dm_record_touch(d);
}

static void touch_all(struct dm_world *w)
{
	struct list *n, *next;

	list_each(n, next, &w->devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		touch(d, d->active);
		touch(d, d->inactive);
	}
}

static void changed(struct loop_msg *m)
{
	struct dm_world *w = container(m, struct dm_world, records.changed);

	atomic_store(&w->records.changed_pending, false);
	touch_all(w);
}

void dm_saved_flush(struct dm_world *w)
{
	touch_all(w);
	dm_records_flush(w);
}

void dm_saved_init(struct dm_world *w)
{
	w->records.changed.run = changed;
}
