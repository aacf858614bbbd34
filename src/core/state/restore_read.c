/* SPDX-License-Identifier: BSD-2-Clause */
/* See restore_read.h. Lines whose key is not known are of a later version, and ignored. */
#include "core/state/restore_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "core/state/record_text.h"

static const char *line_end(const char *at)
{
	const char *end = words_line(at);

	return end + (*end == '\n');
}

static bool is_line(const char *at, const char *line)
{
	return !strncmp(at, line, strlen(line));
}

void dm_record_read_table(struct dm_record_table *r, const char *value)
{
	const char *at;

	*r = (struct dm_record_table){ .stores = "", .lines = "" };
	for (at = value; *at && !is_line(at, DM_RECORD_LINES); at = line_end(at)) {
		r->readonly = r->readonly || is_line(at, "readonly\n");
		r->secret = r->secret || is_line(at, "secret\n");
		if (!is_line(at, "store "))
			continue;
		if (!r->stores_len)
			r->stores = at;
		r->stores_len = (size_t)(line_end(at) - r->stores);
	}
	if (*at)
		r->lines = at + strlen(DM_RECORD_LINES);
}

static void read_flags(struct dm_record_device *r, char *words)
{
	const struct {
		const char *name;
		bool *is;
	} flags[] = {
		{ "suspended", &r->suspended }, { "readonly", &r->readonly }, { "locked", &r->locked }, { "loaded", &r->loaded },
		{ "lived", &r->lived }, { "deferred", &r->deferred },
	};
	const char *word;
	size_t i;

	while ((word = words_next(&words, NULL)))
		for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
			if (!strcmp(word, flags[i].name))
				*flags[i].is = true;
}

static const char *read_word(char *value)
{
	const char *word = words_next(&value, NULL);

	return word ? word : "";
}

static void read_line(struct dm_record_device *r, const char *key, char *value)
{
	struct dm_geometry *g = &r->geometry;

	if (!strcmp(key, "name"))
		r->name = read_word(value);
	else if (!strcmp(key, "uuid"))
		r->uuid = read_word(value);
	else if (!strcmp(key, "altered"))
		r->altered = true;
	else if (!strcmp(key, "flags"))
		read_flags(r, value);
	else if (!strcmp(key, "number"))
		sscanf(value, "%" SCNu64, &r->number);
	else if (!strcmp(key, "event"))
		sscanf(value, "%" SCNu32, &r->event_nr);
	else if (!strcmp(key, "times"))
		sscanf(value, "%" SCNu64 " %" SCNu64, &r->active_since, &r->last_event);
	else if (!strcmp(key, "read-ahead"))
		sscanf(value, "%" SCNu32, &r->read_ahead);
	else if (!strcmp(key, "active"))
		sscanf(value, "%" SCNu64, &r->tables[DM_SLOT_ACTIVE]);
	else if (!strcmp(key, "inactive"))
		sscanf(value, "%" SCNu64, &r->tables[DM_SLOT_INACTIVE]);
	else if (!strcmp(key, "geometry"))
		sscanf(value, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &g->cylinders, &g->heads, &g->sectors, &g->start);
}

/* The next line of *AT, in two: its first word, and what follows it. NULL: there is none. */
static char *next_line(char **at, char **value)
{
	char *line = *at, *end, *blank;

	if (!*line)
		return NULL;
	end = words_line(line);
	*at = end + (*end == '\n');
	*end = '\0';
	blank = line + strcspn(line, " ");
	*value = blank + (*blank == ' ');
	*blank = '\0';
	return line;
}

int dm_record_read_device(struct dm_record_device *r, char *value, void (*region)(void *arg, char *words), void *arg, struct err *e)
{
	char *key, *words;

	*r = (struct dm_record_device){ .name = "", .uuid = "" };
	while ((key = next_line(&value, &words)))
		if (!strcmp(key, "region"))
			region(arg, words);
		else
			read_line(r, key, words);
	if (*r->name && strlen(r->name) <= 127 && strlen(r->uuid) <= 128)
		return 0;
	return err_set(e, -EINVAL, "the record of a device has no valid name");
}
