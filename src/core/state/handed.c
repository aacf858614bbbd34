/* SPDX-License-Identifier: BSD-2-Clause */
/* See handed.h. */
#include "core/state/handed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/device.h"
#include "core/state/record_text.h"
#include "core/state/saved.h"
#include "core/world.h"

/* --- the program that goes ------------------------------------------------------------------------------------------- */

static int line_may(const struct dm_target *t, bool altered, bool ask, struct err *e)
{
	const struct dm_type *type = t->type;

	if (type->may_hand_over && ask)
		return type->may_hand_over(t, e);
	if (!type->save && (type->flags & DM_TARGET_FORGETS || (altered && type->message)))
		return err_set(e, -ENOTSUP, "%s keeps in memory what it cannot hand over to another program", type->name);
	return 0;
}

static int table_may(const struct dm_table *t, bool ask, struct err *e)
{
	size_t i;

	for (i = 0; t && !t->lost && i < t->n; i++)
		if (line_may(&t->targets[i], t->altered, ask, e))
			return err_prefix(e, "table line %zu: ", i + 1);
	return 0;
}

int dm_hand_over_may(struct dm_world *w, struct err *e)
{
	struct list *n, *next;

	list_each(n, next, &w->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (table_may(d->active, true, e) || table_may(d->inactive, true, e))
			return err_prefix(e, "device '%s': ", d->name);
	}
	return 0;
}

static int table_text(const struct dm_table *t, struct text *out, struct err *e)
{
	struct text words = TEXT_SECRET, saved = TEXT_SECRET;
	int r = table_may(t, false, e);		/* a message may have come since it was asked */

	if (r || !t || t->lost || !(t->secret || t->saves))
		return r;
	if (t->secret)
		dm_record_lines_text(t, &words);
	r = dm_saved_text(t, false, &saved, e);
	text_printf(out, "table %" PRIu64 " %zu %zu\n", t->record, words.len, saved.len);
	text_add_n(out, text_str(&words), words.len);
	text_add_n(out, text_str(&saved), saved.len);
	if (!r && (words.failed || saved.failed || out->failed))
		r = err_set(e, -ENOMEM, "no memory for what its lines keep");
	text_free(&words);
	text_free(&saved);
	return r;
}

int dm_hand_over_text(struct dm_world *w, struct text *out, struct err *e)
{
	struct list *n, *next;

	dm_saved_flush(w);
	list_each(n, next, &w->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (table_text(d->active, out, e) || table_text(d->inactive, out, e))
			return err_prefix(e, "device '%s': ", d->name);
	}
	return 0;
}

/* --- the one that comes ---------------------------------------------------------------------------------------------- */

static struct dm_handed_table *handed_new(struct dm_handed *h)
{
	size_t room = h->n & (h->n - 1) ? 0 : h->n ? 2 * h->n : 1;	/* at powers of 2 it is full */
	struct dm_handed_table *more = room ? realloc(h->tables, room * sizeof(*more)) : h->tables;

	if (!more)
		return NULL;
	h->tables = more;
	return &more[h->n++];
}

/* The table at AT: the bytes it takes, or 0: it is damaged. */
static size_t handed_table(struct dm_handed_table *t, const char *at, size_t left)
{
	const char *end = memchr(at, '\n', left < 96 ? left : 96);
	char head[96], rest;
	size_t n;

	*t = (struct dm_handed_table){ .id = 0 };
	if (!end)
		return 0;
	n = (size_t)(end - at);
	memcpy(head, at, n);
	head[n++] = '\0';
	if (sscanf(head, "table %" SCNu64 " %zu %zu%c", &t->id, &t->words_len, &t->saved_len, &rest) != 3 || t->words_len > left - n ||
	    t->saved_len > left - n - t->words_len)
		return 0;
	t->words = t->words_len ? at + n : NULL;
	t->saved = at + n + t->words_len;
	return n + t->words_len + t->saved_len;
}

static int by_id(const void *a, const void *b)
{
	const struct dm_handed_table *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int dm_handed_read(struct dm_handed *h, const char *bytes, size_t len, struct err *e)
{
	struct dm_handed_table *t;
	size_t at, n;

	*h = (struct dm_handed){ .n = 0 };
	for (at = 0; at < len; at += n) {
		t = handed_new(h);
		n = t ? handed_table(t, bytes + at, len - at) : 0;
		if (!t)
			return err_set(e, -ENOMEM, "no memory for what was handed over");
		if (!n)
			return err_set(e, -EINVAL, "what was handed over of the tables is damaged at byte %zu", at);
	}
	if (h->n)
		qsort(h->tables, h->n, sizeof(*h->tables), by_id);
	return 0;
}

void dm_handed_free(struct dm_handed *h)
{
	free(h->tables);
	*h = (struct dm_handed){ .n = 0 };
}

const struct dm_handed_table *dm_handed_find(const struct dm_handed *h, uint64_t id)
{
	const struct dm_handed_table like = { .id = id };

	return h && h->n ? bsearch(&like, h->tables, h->n, sizeof(like), by_id) : NULL;
}
