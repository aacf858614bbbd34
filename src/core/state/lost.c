/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that stand for what could not be built again: see lost.h. */
#include "core/state/lost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/device/device.h"
#include "core/device/loopdev.h"
#include "core/path/fault.h"
#include "core/state/record_text.h"
#include "core/state/restore_read.h"
#include "core/table/build.h"
#include "core/table/kept.h"

/* A line's private part: its type, a NUL, and its words. */
struct lost_line {
	char *text;
};

static int lost_ctr(struct dm_target *t, struct dm_args *a)
{
	struct lost_line *l = t->priv;
	size_t len = strlen(a->rest);

	l->text = dm_args_alloc(a, len + 2);
	if (l->text) {
		memcpy(l->text, a->rest, len);
		l->text[strcspn(l->text, " ")] = '\0';
	}
	return dm_args_rest_ignored(a);
}

/* Its device is suspended; what gets here all the same fails. */
static int lost_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	dm_why(r->io, "its table could not be brought back");
	return -EIO;
}

const char *dm_lost_line_type(const struct dm_target *t)
{
	return ((const struct lost_line *)t->priv)->text;
}

const char *dm_lost_line_words(const struct dm_target *t)
{
	const char *type = dm_lost_line_type(t);

	return type + strlen(type) + 1;
}

static void lost_table(const struct dm_target *t, struct text *out)
{
	text_add(out, dm_lost_line_words(t));
}

const struct dm_type dm_type_lost = {
	.name = "lost", .usage = "", .about = "stands for a line that could not be brought back", .size = sizeof(struct lost_line),
	.ctr = lost_ctr, .map = lost_map, .table = lost_table,
};

void dm_lost_free(struct dm_lost *l)
{
	if (!l)
		return;
	free(l->value);
	free(l->why);
	dm_kept_let_go(l->kept);
	free(l);
}

static struct dm_lost *lost_copy(const char *value, size_t len, const char *why)
{
	struct dm_lost *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->value = strndup(value, len);
	l->len = len;
	l->why = strdup(why);
	if (l->value && l->why) {
		l->kept = dm_kept_hold(l->value);
		return l;
	}
	dm_lost_free(l);
	return NULL;
}

/* "START LENGTH TYPE WORDS" becomes a line of the type lost, whose words are those and the type. */
static int lost_line(struct dm_build *b, char *line)
{
	char *at = line, *start = words_next(&at, NULL), *len = start ? words_next(&at, NULL) : NULL;
	uint64_t from, n;

	if (!len || words_u64(start, &from) || words_u64(len, &n))
		return 0;
	return dm_build_line(b, from, n, dm_type_lost.name, at + strspn(at, " "));
}

static void lost_lines(struct dm_build *b, char *text)
{
	char *end;

	for (; *text; text = end) {
		end = words_line(text);
		if (*end)
			*end++ = '\0';
		if (lost_line(b, text))
			return;
	}
}

static int lost_build(struct dm_table **out, struct dm_device *d, const struct dm_record_table *r, char *text)
{
	struct dm_build_opts o = { .device = d, .readonly = r->readonly, .secret = r->secret, .lost = true };
	struct err e = ERR_INIT;
	struct dm_build *b;
	int code = dm_build_begin(&b, d->world, &o, &e);

	if (code)
		return code;
	lost_lines(b, text);
	return dm_build_end(b, out);
}

int dm_lost_new(struct dm_table **out, struct dm_device *d, const char *value, size_t len, const char *why)
{
	struct dm_lost *l = lost_copy(value, len, why);
	struct dm_record_table r;
	char *text;
	int code;

	if (!l)
		return -ENOMEM;
	dm_record_read_table(&r, l->value);
	text = strdup(r.lines);
	code = text ? lost_build(out, d, &r, text) : -ENOMEM;
	free(text);
	if (code)
		dm_lost_free(l);
	else
		(*out)->lost = l;
	return code;
}

/* What is made of the record looks like that of a table of one line. */
int dm_lost_disk_new(struct dm_table **out, struct dm_device *d, const char *value, const char *why)
{
	const char *store = strstr(value, "\nstore "), *at = store ? strstr(store, " sectors=") : NULL;
	struct text like = TEXT_INIT;
	const struct dm_loop *loop = d->loopdev ? &d->loopdev->is : NULL;
	uint64_t sectors;
	int code;

	if (!at || sscanf(at, " sectors=%" SCNu64, &sectors) != 1)
		return -EINVAL;
	if (loop)
		sectors = dm_loop_sectors(loop, sectors, loop->block ? loop->block : DM_SECTOR);
	if (!sectors)
		return -EINVAL;
	text_printf(&like, "%s%s" DM_RECORD_LINES "0 %" PRIu64 " linear disk 0\n", loop && loop->flags & DM_LOOP_READONLY ? "readonly\n" : "",
		    value, sectors);
	code = like.failed ? -ENOMEM : dm_lost_new(out, d, like.s, like.len, why);
	text_free(&like);
	return code;
}

const char *dm_lost_disk_file(const struct dm_lost *l, size_t *len)
{
	const char *at = strstr(l->value, "\nword "), *end = at ? strstr(at, "\n" DM_RECORD_LINES) : NULL;

	*len = end ? (size_t)(end - at) : 0;
	return end ? at + 1 : "";
}

char *dm_lost_disk_word(const struct dm_lost *l)
{
	size_t len;
	const char *file = dm_lost_disk_file(l, &len);
	char *line = strndup(file, strcspn(file, "\n")), *at = line, *word;

	if (!line)
		return NULL;
	words_next(&at, NULL);
	word = words_next(&at, NULL);
	word = strdup(word ? word : "");
	free(line);
	return word;
}

char *dm_disk_file(const struct dm_table *t)
{
	return t->lost ? dm_lost_disk_word(t->lost) : strdup(t->stores[0]->name);
}

static void tell(const struct dm_device *d, const struct dm_table *t, const char *slot, struct text *out)
{
	if (t && t->lost && d->disk)
		text_add_line(out, "disk '%s' waits, because its file could not be opened again: %s", d->name, t->lost->why);
	else if (t && t->lost)
		text_add_line(out, "the %s table of '%s' could not be brought back: %s", slot, d->name, t->lost->why);
}

void dm_lost_tell(const struct dm_device *d, struct text *out)
{
	tell(d, d->active, "active", out);
	tell(d, d->inactive, "inactive", out);
}
