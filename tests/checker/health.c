/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See health.h. Of a mirror: "0 960 mirror 2 A B 60/60 1 AA ..."; of raid: "0 960 raid raid1 2 AA 960/960 idle ...".
 */
#include "checker/health.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 32u

struct words {
	char *text, *at[WORDS];
	unsigned n;
};

static void split(struct words *w, const char *line)
{
	char *rest = w->text = strdup(line), *word;

	w->n = 0;
	while (w->n < WORDS && (word = strsep(&rest, " ")))
		w->at[w->n++] = word;
}

static bool is_whole(const char *ratio)
{
	const char *slash = strchr(ratio, '/');

	return slash && strlen(slash + 1) == (size_t)(slash - ratio) && !strncmp(ratio, slash + 1, (size_t)(slash - ratio));
}

static void disks(struct health *h, const char *letters, const char *ratio)
{
	h->first_failed = *letters != 'A' && *letters != 'a';
	h->all_failed = !strpbrk(letters, "Aa");
	h->in_sync = is_whole(ratio) && strspn(letters, "A") == strlen(letters);
}

static void read_line(struct health *h, const struct words *w)
{
	unsigned legs = w->n > 3 ? (unsigned)atoi(w->at[3]) : 0;

	if (w->n > 3 && (!strcmp(w->at[3], "Invalid") || !strcmp(w->at[3], "Overflow")))
		h->invalid = true;
	else if (w->n > 7 && !strcmp(w->at[2], "raid"))
		disks(h, w->at[5], strcmp(w->at[7], "idle") ? "" : w->at[6]);
	else if (w->n > 6 + legs && !strcmp(w->at[2], "mirror"))
		disks(h, w->at[6 + legs], w->at[4 + legs]);
}

static void read_status(struct health *h, struct fixture *f, const char *name, unsigned i)
{
	char *all = rows(f, DM_DO_STATUS, name, 0), *line = all;
	struct words w;

	for (; i; i--)
		line = strchr(line, '\n') + 1;
	line[strcspn(line, "\n")] = '\0';
	split(&w, line);
	read_line(h, &w);
	free(w.text);
	free(all);
}

struct health line_health(struct volume *v, unsigned i)
{
	struct health h = { .in_sync = true };
	unsigned k;

	read_status(&h, v->f, v->name, i);
	for (k = 0; k < KIND_OTHERS; k++)
		if (v->lines[i].others[k].device)
			read_status(&h, v->f, v->lines[i].others[k].name, 0);
	return h;
}
