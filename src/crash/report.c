/* SPDX-License-Identifier: BSD-2-Clause */
/* See report.h: what all forms of a report share, and the one for people. */
#include "crash/report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/req.h"
#include "targets/log_writes/format.h"

#define REPORT_WRITES 20u		/* that are named one by one */
#define REPORT_LINES 12u		/* of what the check printed: the last ones */

int report_exit_of(enum verdict v)
{
	static const int codes[VERDICTS] = {
		[VERDICT_FAILED] = REPORT_FAILED, [VERDICT_CRASHED] = REPORT_CRASHED, [VERDICT_HUNG] = REPORT_CRASHED,
		[VERDICT_UNMOUNTABLE] = REPORT_UNMOUNTABLE, [VERDICT_FSCK] = REPORT_FSCK,
	};

	return codes[v];
}

int report_exit(const struct report *r)
{
	enum verdict v;

	for (v = VERDICT_FAILED; v < VERDICT_NONE; v++)
		if (r->counts[v])
			return report_exit_of(v);
	return REPORT_PASSED;
}

void report_say_verdict(const struct trial_result *r, struct text *out)
{
	static const char *const words[VERDICTS] = {
		[VERDICT_PASSED] = "it passed", [VERDICT_FAILED] = "the check failed: it exited with status",
		[VERDICT_CRASHED] = "the check was ended by signal", [VERDICT_HUNG] = "the check did not end in time",
		[VERDICT_UNMOUNTABLE] = "the file system does not mount", [VERDICT_FSCK] = "the file system is damaged: its checker complains",
		[VERDICT_NONE] = "it could not be tried",
	};

	text_add(out, words[r->verdict]);
	if (r->verdict == VERDICT_FAILED)
		text_printf(out, " %d", r->status);
	else if (r->verdict == VERDICT_CRASHED)
		text_printf(out, " %d (%s)", r->status, strsignal(r->status));
}

const char *report_mark_before(const struct history *h, uint64_t entry)
{
	const char *text = NULL;
	size_t i;

	for (i = 0; i < h->n_marks && h->marks[i].entry < entry; i++)
		text = h->marks[i].text;
	return text;
}

void report_say_cut(const struct history *h, const struct history_cut *c, struct text *out)
{
	static const char *const words[] = {
		[CUT_FLUSH] = "before the flush that ends epoch %u completed", [CUT_FUA] = "in epoch %u, before a write with FUA completed",
		[CUT_END] = "at the end of the recording, in epoch %u", [CUT_AFTER] = "not cut; the file system was unmounted",
	};
	const char *mark = c->marks ? h->marks[c->marks - 1].text : NULL;
	char line[120];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof(line), words[c->kind], c->epoch);
#pragma GCC diagnostic pop
	text_add(out, line);
	text_printf(out, " (entry %" PRIu64 " of the log)", c->entry);
	if (mark)
		text_printf(out, ", after mark '%s'", mark);
}

void report_free(struct report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->jobs[i].state);
		text_free(&r->jobs[i].result.output);
	}
	for (i = 0; i < r->n_lost; i++)
		free(r->lost[i].file);
	for (i = 0; i < r->n_later; i++)
		free(r->later[i].file);
	free(r->jobs);
	free(r->lost);
	free(r->later);
	free(r->smallest.state);
	text_free(&r->smallest.result.output);
}

static void say_recording(const struct report *r, struct text *out)
{
	const struct recording *rec = r->recording;
	const struct history *h = &rec->history;

	if (rec->fuse)
		text_printf(out, "note: the workload ran on %s, which may lose what the kernel's file system would not\n", rec->fs->fuse);
	if (!h->ended)
		text_add(out, "note: the log does not end with the mark " WLOG_END_MARK ": of what was not flushed at its end nothing is in it, "
			      "so the last states are those after its last flush\n");
	text_printf(out, "recording %s: %s, %" PRIu64 " MiB; %zu writes, %zu cuts, %zu marks\n", rec->directory, rec->fs ? rec->fs->name : "raw",
		    rec->size >> 20, h->cuts[h->n_cuts - 1].last, h->n_cuts, h->n_marks);
}

static void say_counts(const struct report *r, struct text *out)
{
	size_t tried = 0;
	enum verdict v;

	for (v = 0; v < VERDICTS; v++)
		tried += r->counts[v];
	text_printf(out, "states: %zu tried in %.1f s (%.0f per second); %zu more were the same as others\n", tried, r->seconds,
		    r->seconds > 0 ? (double)tried / r->seconds : 0.0, r->same);
	for (v = 0; v < VERDICTS; v++)
		if (r->counts[v] || v == VERDICT_PASSED)
			text_printf(out, "  %-12s %zu\n", verdict_name(v), r->counts[v]);
}

static void say_output(const struct text *output, struct text *out)
{
	const char *s = text_str(output), *at = s + output->len;
	unsigned lines = 0;

	while (at > s && (at[-1] != '\n' || at == s + output->len || ++lines < REPORT_LINES))
		at--;
	while (*at) {
		size_t n = strcspn(at, "\n");

		text_add(out, "    | ");
		text_add_n(out, at, n);
		text_add(out, "\n");
		at += n + (at[n] != '\0');
	}
}

static void say_write(const struct report *r, const struct report_write *w, struct text *out)
{
	const struct history *h = &r->recording->history;
	const struct history_write *write = &h->writes[w->write];
	const char *mark = report_mark_before(h, write->entry);

	text_printf(out, "    sectors %" PRIu64 " to %" PRIu64, w->sector, w->sector + (w->count ? w->count : 1) - 1);
	if (w->parts < w->of)
		text_printf(out, " (%u of %u units)", w->parts, w->of);
	text_printf(out, ", epoch %u", write->epoch);
	if (mark)
		text_printf(out, ", after mark '%s'", mark);
	if (w->file)
		text_printf(out, ": %s", w->file);
	else if (r->recording->fs)
		text_printf(out, ": %s", "metadata, or free space");
	text_add(out, "\n");
}

static void say_writes(const struct report *r, const char *what, const struct report_write *writes, size_t n, struct text *out)
{
	size_t i;

	if (!n)
		return;
	text_printf(out, "  %s\n", what);
	for (i = 0; i < n && i < REPORT_WRITES; i++)
		say_write(r, &writes[i], out);
	if (i < n)
		text_printf(out, "    and %zu more\n", n - i);
}

static void say_smallest(const struct report *r, struct text *out)
{
	const struct history *h = &r->recording->history;
	struct err e = ERR_INIT;
	struct state s;

	if (!r->failed || state_parse(&s, h, r->smallest.state, &e))
		return;
	text_printf(out, r->n ? "smallest failing state: %s\n" : "state %s\n", r->smallest.state);
	text_add(out, "  power was cut ");
	report_say_cut(h, s.cut, out);
	text_add(out, "\n  ");
	report_say_verdict(&r->smallest.result, out);
	text_add(out, "\n");
	say_output(&r->smallest.result.output, out);
	say_writes(r, "these writes were lost:", r->lost, r->n_lost, out);
	if (!r->n_lost)
		text_add(out, "  no write is lost: everything that the disk had been given is there\n");
	say_writes(r, "these had not been given to the disk when power was cut, but later:", r->later, r->n_later, out);
	if (r->n)
		text_printf(out, "  to play it again: %s --play %s\n", r->again, r->smallest.state);
	state_free(&s);
}

void report_text(const struct report *r, struct text *out)
{
	say_recording(r, out);
	if (r->n)
		say_counts(r, out);
	say_smallest(r, out);
}
