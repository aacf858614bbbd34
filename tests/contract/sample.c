/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for a usage line: see sample.h. "[...]..." is repeated as often as the first count says; "[...]" is left out. */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT 3

static void put(struct sample *s, const char *name, size_t len)
{
	char *out = s->words[s->n];

	assert_true(s->n < SAMPLE_WORDS);
	if (!strncmp(name, "<device>", len))
		snprintf(out, 64, "memory,size=8M:disk%zu", s->n);
	else if (!strncmp(name, "<offset>", len))
		snprintf(out, 64, "%zu", 16 * s->n);
	else if (!strncmp(name, "<#stripes>", len))
		snprintf(out, 64, "%d", COUNT);
	else if (!strncmp(name, "<delay>", len))
		snprintf(out, 64, "1");
	else if (!strncmp(name, "<chunk>", len))
		snprintf(out, 64, "8");
	else
		fail_msg("tests/contract/sample.c does not know what to write for %.*s", (int)len, name);
	s->n++;
}

static void put_all(struct sample *s, const char *from, const char *to)
{
	while (from < to) {
		size_t len = strcspn(from, " ]");

		if (len)
			put(s, from, len);
		from += len + 1;
	}
}

void sample_make(struct sample *s, const struct dm_type *t)
{
	const char *at = t->usage, *group, *end;
	int i;

	*s = (struct sample){ .n = 0 };
	while ((group = strchr(at, '['))) {
		end = strchr(group, ']');
		put_all(s, at, group);
		for (i = 0; i < COUNT && !strncmp(end, "]...", 4); i++)
			put_all(s, group + 1, end);
		at = end + strspn(end, "]. ");
	}
	put_all(s, at, at + strlen(at));
}

void sample_line(char *out, size_t size, const struct dm_type *t, const struct sample *s, unsigned start)
{
	int n = snprintf(out, size, "%u %u %s", start, SAMPLE_SECTORS, t->name);
	size_t i;

	for (i = 0; i < s->n; i++)
		n += snprintf(out + n, size - (size_t)n, " %s", s->words[i]);
}
