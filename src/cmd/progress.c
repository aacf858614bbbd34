/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the status of lines: see progress.h. */
#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"

/* The words of a status, one after the other; what is too long for WORD is cut. */
static bool next_word(const char **at, const char *end, char *word, size_t room)
{
	size_t n;

	while (*at < end && **at == ' ')
		++*at;
	n = (size_t)(end - *at);
	if (memchr(*at, ' ', n))
		n = (size_t)((const char *)memchr(*at, ' ', n) - *at);
	snprintf(word, room, "%.*s", (int)n, *at);
	*at += n;
	return n;
}

/* "16/48" */
static bool read_fraction(struct progress *p, const char *word)
{
	p->counted = sscanf(word, "%" SCNu64 "/%" SCNu64, &p->done, &p->total) == 2;
	return p->counted;
}

/* ALLOCATED/TOTAL METADATA, or a word or two. */
static void read_snapshot(struct progress *p, const char *at, const char *end)
{
	const char *words = at;
	char word[80];
	uint64_t metadata;

	p->unit = "sectors";
	if (!next_word(&at, end, word, sizeof(word)) || !read_fraction(p, word)) {
		snprintf(p->state, sizeof(p->state), "%.*s", (int)(end - words), words);
		return;
	}
	if (strcmp(p->type, "snapshot-merge"))
		return;
	metadata = next_word(&at, end, word, sizeof(word)) ? strtoull(word, NULL, 10) : 0;
	p->works = true;
	p->total = p->done > metadata ? p->done - metadata : 0;
	p->done = 0;
}

/* #LEGS DEVICE... SYNCHRONOUS/REGIONS 1 HEALTH ... */
static void read_mirror(struct progress *p, const char *at, const char *end)
{
	char word[PROGRESS_LEGS + 1];
	unsigned long legs = next_word(&at, end, word, sizeof(word)) ? strtoul(word, NULL, 10) : 0;

	for (; legs && next_word(&at, end, word, sizeof(word)); legs--)
		;
	p->unit = "regions";
	p->works = true;
	if (next_word(&at, end, word, sizeof(word)) && read_fraction(p, word) && next_word(&at, end, word, sizeof(word)))
		next_word(&at, end, p->health, sizeof(p->health));
}

/* LEVEL #LEGS HEALTH SYNCHRONOUS/SECTORS ACTION ... */
static void read_raid(struct progress *p, const char *at, const char *end)
{
	char word[80];

	p->unit = "sectors";
	p->works = true;
	if (next_word(&at, end, word, sizeof(word)) && next_word(&at, end, word, sizeof(word)) &&
	    next_word(&at, end, p->health, sizeof(p->health)) && next_word(&at, end, word, sizeof(word)))
		read_fraction(p, word);
}

bool progress_of(const struct row *r, struct progress *p)
{
	const char *at = r->text + r->params, *end = r->text + r->len;

	*p = (struct progress){ .done = 0 };
	snprintf(p->type, sizeof(p->type), "%.*s", (int)r->type_len, r->text + r->type);
	if (row_is(r, "snapshot") || row_is(r, "snapshot-merge"))
		read_snapshot(p, at, end);
	else if (row_is(r, "mirror"))
		read_mirror(p, at, end);
	else if (row_is(r, "raid"))
		read_raid(p, at, end);
	else
		return false;
	return true;
}

static bool is_merge(const struct progress *p)
{
	return !strcmp(p->type, "snapshot-merge");
}

bool progress_is_over(const struct progress *p)
{
	return p->counted && (is_merge(p) ? !p->total : p->done == p->total);
}

/* In Linux's status of raid an 'a' is a leg that is alive and not equal yet. */
bool progress_has_failed(const struct progress *p)
{
	return *p->state || strspn(p->health, "Aa") != strlen(p->health);
}

static unsigned percent(const struct progress *p)
{
	return p->total ? (unsigned)((double)p->done * 100 / (double)p->total) : 100;
}

static void add_failed_legs(const struct progress *p, struct text *out)
{
	size_t i;

	for (i = 0; p->health[i]; i++)
		if (!strchr("Aa", p->health[i]))
			text_printf(out, "; leg %zu has failed (%c)", i + 1, p->health[i]);
}

void progress_text(const struct progress *p, struct text *out)
{
	if (*p->state)
		text_printf(out, "%s", p->state);
	else if (!p->counted)
		text_add(out, "unknown");
	else if (is_merge(p) && p->total)
		text_printf(out, "%" PRIu64 " sectors are left to be merged", p->total);
	else if (is_merge(p))
		text_add(out, "all is merged");
	else
		text_printf(out, "%u%% %s (%" PRIu64 " of %" PRIu64 " %s)", percent(p), p->works ? "equal on all legs" : "full", p->done, p->total,
			    p->unit);
	add_failed_legs(p, out);
}

void progress_short(const struct progress *p, struct text *out)
{
	if (*p->state)
		text_add(out, p->state);
	else if (p->counted && is_merge(p))
		text_printf(out, "%" PRIu64 " to merge", p->total);
	else if (p->counted)
		text_printf(out, "%u%% %s", percent(p), p->works ? "equal" : "full");
	if (*p->health && progress_has_failed(p))
		text_printf(out, "%s%s", out->len ? ", " : "", p->health);
}

plist_t progress_json(const struct progress *p)
{
	plist_t out = plist_new_dict();

	if (*p->state)
		key_set_text(out, "state", p->state);
	if (p->counted && is_merge(p))
		key_set_u64(out, "left", p->total);
	if (p->counted && !is_merge(p)) {
		key_set_u64(out, p->works ? "equal" : "used", p->done);
		key_set_u64(out, "total", p->total);
		key_set_u64(out, "percent", percent(p));
	}
	if (p->counted)
		key_set_text(out, "unit", p->unit);
	if (*p->health)
		key_set_text(out, "health", p->health);
	return out;
}

int progress_each(struct job *j, const char *name, void (*each)(const struct progress *p, void *arg), void *arg)
{
	plist_t request = request_new("status", name), reply = NULL;
	struct err e = ERR_INIT;
	struct progress p;
	int r;

	rows_ask(request);
	key_add_flag(request, DICT_NOFLUSH);
	r = client_try(j, name, request, &reply, &e);
	if (r)
		return client_no_device(r) ? EXIT_OK : job_failed(j, name, &e);
	for (struct row row = rows_of(reply); rows_next(&row);)
		if (progress_of(&row, &p))
			each(&p, arg);
	plist_free(reply);
	return EXIT_OK;
}
