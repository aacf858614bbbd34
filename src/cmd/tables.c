/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables file: see tables.h. It continues after a failure: one missing disk must not prevent the other devices at
 * boot.
 */
#include "cmd/tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "cmd/concise.h"
#include "cmd/slurp.h"
#include "core/command/command.h"
#include "core/world.h"

struct tables {
	struct dm_world *world;
	const char *path;
	char *directory;
	unsigned line;
	const bool *enough;
	uint64_t restored;	/* devices have numbers up to this one, if they are from the state */
	struct tables_count *n;
};

static void tables_warn(const struct tables *t, const char *name, const char *warnings)
{
	const char *end;

	for (; *warnings; warnings = *end ? end + 1 : end) {
		end = strchrnul(warnings, '\n');
		log_warn_of(name, "%s:%u: %s: %.*s", t->path, t->line, name, (int)(end - warnings), warnings);
	}
}

/* It is from an earlier daemon's state, in which it may have become another than the file says. */
static bool tables_is_there(const struct tables *t, const char *name)
{
	const struct dm_device *d = dm_find_name(t->world, name);

	return d && d->recorded.number && d->recorded.number <= t->restored;
}

static void tables_one(struct tables *t, const struct concise *d)
{
	struct dm_cmd c = {
		.verb = DM_DO_CREATE, .flags = DM_WITH_SIZES | (d->readonly ? DM_WITH_READONLY : 0),
		.name = d->name, .uuid = d->uuid, .has_minor = d->has_minor, .minor = d->minor,
		.text = *d->table ? d->table : NULL, .cwd = t->directory,
	};

	if (tables_is_there(t, d->name)) {
		t->n->kept++;
		return;
	}
	if (dm_do_now(t->world, &c)) {
		log_error_of(d->name, "%s:%u: %s: %s", t->path, t->line, d->name, c.reply.err.text);
		t->n->failed++;
	} else {
		t->n->created++;
	}
	tables_warn(t, d->name, text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
}

static void tables_line(struct tables *t, char *line)
{
	struct err e = ERR_INIT;
	struct concise d;
	int r = 0;

	while (words_blank(*line))
		line++;
	if (*line == '#')
		return;
	while (!*t->enough && (r = concise_next(&line, &d, &e)) > 0)
		tables_one(t, &d);
	if (r >= 0)
		return;
	log_error("%s:%u: %s", t->path, t->line, e.text);
	t->n->failed++;
}

static unsigned tables_breaks(const char *text)
{
	unsigned n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static void tables_lines(struct tables *t, char *text)
{
	unsigned inside;
	bool more = true;
	char *end;

	for (; more && !*t->enough; text = end + 1) {
		end = words_line(text);
		more = *end;
		*end = '\0';
		inside = tables_breaks(text);
		t->line++;
		tables_line(t, text);
		t->line += inside;
	}
}

int tables_create(struct dm_world *w, const char *path, const bool *enough, struct tables_count *n, struct err *e)
{
	struct tables t = { .world = w, .path = path, .enough = enough, .n = n, .restored = w->records.last_device };
	const char *slash = strrchr(path, '/');
	char *text = slurp(path, e);

	if (!text)
		return e->code;
	t.directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	tables_lines(&t, text);
	free(t.directory);
	free(text);
	return 0;
}
