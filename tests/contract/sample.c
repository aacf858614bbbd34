/* SPDX-License-Identifier: BSD-2-Clause */
/* The samples: see sample.h. CONTRACT_SAMPLES comes from meson.build: SAMPLE(linear) SAMPLE(striped) ... */
#include "contract/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "targets/targets.h"

#define SAMPLE(name) extern const struct dm_type dm_##name; extern const struct sample sample_##name;
CONTRACT_SAMPLES
#undef SAMPLE

#define SAMPLE(name) { &dm_##name, &sample_##name },
const struct sample_type sample_types[] = {
	CONTRACT_SAMPLES
	{ NULL, NULL }
};
#undef SAMPLE

void sample_split(struct sample_words *w, const char *words)
{
	char *copy = strdup(words), *rest = copy, *word;

	w->n = 0;
	while ((word = strsep(&rest, " ")))
		if (*word) {
			assert_true(w->n < SAMPLE_WORDS);
			snprintf(w->at[w->n++], sizeof(w->at[0]), "%s", word);
		}
	free(copy);
}

void sample_line(char *out, size_t size, const struct dm_type *t, const struct sample_words *w, unsigned start)
{
	int n = snprintf(out, size, "%u %u %s", start, SAMPLE_SECTORS, t->name);
	size_t i;

	for (i = 0; i < w->n; i++)
		n += snprintf(out + n, size - (size_t)n, " %s", w->at[i]);
}

/* Targets that are not in targets.list. */
static void sample_examples(void)
{
	static bool added;
	size_t i, j;

	for (i = 0; !added && sample_types[i].type; i++) {
		for (j = 0; dm_types[j] && dm_types[j] != sample_types[i].type; j++)
			;
		if (!dm_types[j])
			fixture_add_type(sample_types[i].type);
	}
	added = true;
}

static int sample_table(struct fixture *f, const struct sample *s, enum dm_verb v, const char *name, const char *table, char *why)
{
	struct dm_cmd c = { .verb = v, .name = name, .cwd = "/", .flags = s->readonly ? DM_WITH_READONLY : 0 };
	char *copy = strdup(table);
	int r;

	c.text = copy;
	r = run(f, &c, why);
	dm_reply_free(&c.reply);
	free(copy);
	return r;
}

int sample_create(struct fixture *f, const struct sample *s, const char *name, const char *table, char *why)
{
	return sample_table(f, s, DM_DO_CREATE, name, table, why);
}

int sample_reload(struct fixture *f, const struct sample *s, const char *name, const char *table, char *why)
{
	return sample_table(f, s, DM_DO_RELOAD, name, table, why);
}

void sample_world(struct fixture *f, const struct sample *s)
{
	const struct sample_other *o;

	sample_examples();
	fixture_store = &disk_type;
	fixture_begin(f, 2, AIO_AUTO);
	for (o = s->others; o && o->name; o++)
		make_device(f, o->name, o->table);
}
