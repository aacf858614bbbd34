/* SPDX-License-Identifier: BSD-2-Clause */
/* See missing.h. */
#include "crash/missing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LATER_MOST 200u			/* writes that are asked for */
#define LATER_SHOWN 10u

static int missing_lacks(struct err *e)
{
	return err_set(e, -ENOMEM, "no memory for the writes that are missing");
}

/* The lost pieces of one write as one; where they end. */
static size_t missing_write(const struct state *s, size_t i, struct report_write *out)
{
	uint32_t write = s->pieces.at[i].write;
	uint64_t end = 0;

	*out = (struct report_write){ .write = write };
	for (; i < s->pieces.n && s->pieces.at[i].write == write; i++) {
		out->of++;
		if (!s->lost[i])
			continue;
		if (!out->parts++)
			out->sector = s->pieces.at[i].sector;
		end = s->pieces.at[i].sector + s->pieces.at[i].count;
	}
	out->count = out->parts ? end - out->sector : 0;
	return i;
}

static int missing_lost(struct report *report, const struct state *s, struct err *e)
{
	struct report_write w;
	size_t i = 0;

	report->lost = calloc(state_lost_writes(s) + 1, sizeof(*report->lost));
	if (!report->lost)
		return missing_lacks(e);
	while (i < s->pieces.n) {
		i = missing_write(s, i, &w);
		if (w.parts)
			report->lost[report->n_lost++] = w;
	}
	return 0;
}

/* What comes after the writes that the state may have, up to the next mark: what is written then is the program's next step. */
static int missing_later(struct report *report, const struct state *s, struct err *e)
{
	const struct history *h = s->history;
	uint64_t end = s->cut->marks < h->n_marks ? h->marks[s->cut->marks].entry : UINT64_MAX;
	size_t w;

	report->later = calloc(LATER_MOST, sizeof(*report->later));
	if (!report->later)
		return missing_lacks(e);
	for (w = s->cut->last; w < h->n_writes && report->n_later < LATER_MOST && h->writes[w].entry < end; w++)
		report->later[report->n_later++] = (struct report_write){ .write = w, .sector = h->writes[w].sector, .count = h->writes[w].count };
	return 0;
}

static void missing_set_names(struct report_write *writes, size_t n, char *lines)
{
	char *line, *at = lines, *tab, *end;
	size_t i;

	while (at && (line = strsep(&at, "\n"))) {
		uint64_t sector = strtoull(line, &tab, 10);

		if (tab == line || *tab != '\t')
			continue;
		for (i = 0, end = tab + 1; i < n; i++)
			if (writes[i].sector == sector && !writes[i].file)
				writes[i].file = strdup(end);
	}
}

static void missing_name(struct report_write *writes, size_t n, struct crew *crew)
{
	struct text sectors = TEXT_INIT, lines = TEXT_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		text_printf(&sectors, "%" PRIu64 " ", writes[i].sector);
	if (n)
		crew_names(crew, text_str(&sectors), &lines);
	missing_set_names(writes, n, lines.s);
	text_free(&sectors);
	text_free(&lines);
}

static bool missing_is_file(const struct report_write *w)
{
	return w->file && w->file[0] == '/' && w->file[1];
}

/* The content of files is what is of interest, if there is some: the journal and its like go on for ever. */
static void missing_keep_files(struct report *report)
{
	size_t i, n = 0, files = 0;

	for (i = 0; i < report->n_later; i++)
		files += missing_is_file(&report->later[i]);
	for (i = 0; i < report->n_later; i++)
		if (n < LATER_SHOWN && (!files || missing_is_file(&report->later[i])))
			report->later[n++] = report->later[i];
		else
			free(report->later[i].file);
	report->n_later = n;
}

int missing_find(struct report *report, struct crew *crew, struct err *e)
{
	struct state s;
	int r = state_parse(&s, &report->recording->history, report->smallest.state, e);

	if (r)
		return r;
	r = missing_lost(report, &s, e);
	if (!r)
		missing_name(report->lost, report->n_lost, crew);
	if (!r && !report->n_lost && report->recording->fs && report->smallest.result.verdict != VERDICT_PASSED) {
		r = missing_later(report, &s, e);
		missing_name(report->later, report->n_later, crew);
		missing_keep_files(report);
	}
	state_free(&s);
	return r;
}
