/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a table the one that was recorded? And another attempt at one that could not be brought back: see restore.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/step.h"
#include "core/state/lost.h"
#include "core/state/record_lost.h"
#include "core/state/record_text.h"
#include "core/state/restore_item.h"
#include "core/table/building.h"

/* The line of a store, in two parts between which there may be "seq=NUMBER:BOOT " (store.h). */
struct store_line {
	const char *head, *seq, *word;
	size_t head_len, seq_len, word_len;
};

static struct store_line line_split(const char *line, size_t len)
{
	static const char sectors[] = " sectors=", seq[] = "seq=";
	const char *end = line + len, *at = memmem(line, len, sectors, strlen(sectors)), *word;

	at = at ? memchr(at + strlen(sectors), ' ', (size_t)(end - at) - strlen(sectors)) : NULL;
	word = at = at ? at + 1 : end;
	if ((size_t)(end - at) > strlen(seq) && !memcmp(at, seq, strlen(seq)))
		word = memchr(at, ' ', (size_t)(end - at)) ? (const char *)memchr(at, ' ', (size_t)(end - at)) + 1 : end;
	return (struct store_line){ line, at, word, (size_t)(at - line), (size_t)(word - at), (size_t)(end - word) };
}

static bool bytes_are(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !memcmp(a, b, a_len);
}

/* After another boot, or if one of them has none, the number says nothing. */
static bool line_same(const char *is, size_t is_len, const char *was, size_t was_len)
{
	struct store_line a = line_split(is, is_len), b = line_split(was, was_len);
	const char *a_boot = memchr(a.seq, ':', a.seq_len), *b_boot = memchr(b.seq, ':', b.seq_len);

	if (!bytes_are(a.head, a.head_len, b.head, b.head_len) || !bytes_are(a.word, a.word_len, b.word, b.word_len))
		return false;
	if (!a_boot || !b_boot || !bytes_are(a_boot, (size_t)(a.word - a_boot), b_boot, (size_t)(b.word - b_boot)))
		return true;
	return bytes_are(a.seq, a.seq_len, b.seq, b.seq_len);
}

/* The first store of T that is not what the lines at WAS say. */
static const struct dm_store *other_store(const struct dm_table *t, const char *is, const char *was, size_t was_len)
{
	const char *end = was + was_len;
	size_t i;

	for (i = 0; i < t->n_stores; i++) {
		const char *next = words_line(is), *was_next = memchr(was, '\n', (size_t)(end - was));

		if (!was_next || !line_same(is, (size_t)(next - is), was, (size_t)(was_next - was)))
			return t->stores[i];
		is = next + (*next == '\n');
		was = was_next + 1;
	}
	return NULL;
}

int dm_restore_check(const struct dm_table *t, const char *value, const char *advice, struct err *e)
{
	struct text is = TEXT_INIT;
	const struct dm_store *other;
	struct dm_record_table r;
	int code = 0;

	dm_record_read_table(&r, value);
	dm_record_stores_text(t, &is);
	other = is.failed ? NULL : other_store(t, text_str(&is), r.stores, r.stores_len);
	if (is.failed)
		code = err_set(e, -ENOMEM, "no memory to see whether its devices are the same");
	else if (other)
		code = err_set(e, -ESTALE, "'%.800s' %s; %s", other->name,
			       other->type->other ? other->type->other : "is another one by now", advice);
	text_free(&is);
	return code;
}

static struct dm_table *lost_next(const struct dm_device *d)
{
	struct dm_table *next = d->inactive ? d->inactive : d->active;

	return next && next->lost ? next : NULL;
}

/* Whoever resumes it has not been told yet that its lines have forgotten something: he has to say it again. */
static int again_forgets(struct dm_device *d, struct dm_table *lost, struct dm_table *t, struct err *e)
{
	const struct restore_kept kept = {
		.recorder = d->world->records.recorder, .id = lost->record, .active = lost == d->active, .altered = lost->lost->altered,
	};
	char *why;

	if (lost->lost->anew || !kept.recorder || !restore_saved(t, &kept, e))
		return 0;
	why = strdup(e->text);
	if (!why)
		return e->code;
	free(lost->lost->why);
	lost->lost->why = why;
	lost->lost->anew = true;
	return e->code;
}

/* Another table may have taken its place meanwhile, and D may be moving. */
static void again_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	struct dm_table *lost = c->device ? lost_next(c->device) : NULL;

	(void)explain;
	free(c->text);
	free((char *)(uintptr_t)c->was);
	c->text = NULL;
	c->was = NULL;
	c->flags = c->own_flags;
	if (table && lost)
		if (!dm_restore_check(table, lost->lost->value, DM_RESTORE_LOAD, &c->reply.err))
			again_forgets(c->device, lost, table, &c->reply.err);
	if (table && !c->reply.err.code) {
		dm_stores_lost_again(table);
		c->table = table;
		dm_start(c);
		return;
	}
	dm_table_free(table);
	if (c->device)
		err_prefix(&c->reply.err, "'%s' stays suspended: ", c->device->name);
	dm_finish(c);
}

bool dm_restore_again(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_table *lost = lost_next(d);
	struct dm_record_table r;

	if (!lost)
		return false;
	dm_record_read_table(&r, lost->lost->value);
	c->own_flags = c->flags;
	c->flags = DM_WITH_RECORDED | DM_WITH_LINUX | (r.readonly ? DM_WITH_READONLY : 0);
	c->text_read = NULL;	/* this text is not the caller's */
	c->text = r.secret ? NULL : strdup(r.lines);
	c->was = c->text ? strdup(lost->lost->value) : NULL;
	if (c->was) {
		dm_do_build(c, again_built);
		return true;
	}
	free(c->text);
	c->text = NULL;
	c->flags = c->own_flags;
	if (r.secret)
		dm_fail(c, -ENOKEY, "'%s' stays suspended: %s", d->name, lost->lost->why);
	else
		dm_fail(c, -ENOMEM, "no memory for the table of '%s'", d->name);
	return true;
}
