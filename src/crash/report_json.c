/* SPDX-License-Identifier: BSD-2-Clause */
/* A report as JSON: see report.h. */
#include "crash/report.h"

static void set_number(plist_t dict, const char *key, uint64_t v)
{
	plist_dict_set_item(dict, key, plist_new_uint(v));
}

static void set_text(plist_t dict, const char *key, const char *v)
{
	if (v)
		plist_dict_set_item(dict, key, plist_new_string(v));
}

static plist_t json_recording(const struct recording *r)
{
	const struct history *h = &r->history;
	plist_t out = plist_new_dict();

	set_text(out, "directory", r->directory);
	set_text(out, "file_system", r->fs ? r->fs->name : "raw");
	plist_dict_set_item(out, "fuse", plist_new_bool(r->fuse));
	plist_dict_set_item(out, "ended", plist_new_bool(h->ended));
	set_number(out, "bytes", r->size);
	set_number(out, "atomic_bytes", r->unit);
	set_number(out, "writes", h->cuts[h->n_cuts - 1].last);
	set_number(out, "cuts", h->n_cuts);
	set_number(out, "marks", h->n_marks);
	return out;
}

static plist_t json_counts(const struct report *r)
{
	plist_t out = plist_new_dict();
	enum verdict v;

	for (v = 0; v < VERDICT_NONE; v++)
		set_number(out, verdict_name(v), r->counts[v]);
	set_number(out, "same", r->same);
	set_number(out, "milliseconds", (uint64_t)(r->seconds * 1000));
	return out;
}

static plist_t json_writes(const struct history *h, const struct report_write *writes, size_t n)
{
	plist_t out = plist_new_array();
	size_t i;

	for (i = 0; i < n; i++) {
		plist_t w = plist_new_dict();

		set_number(w, "entry", h->writes[writes[i].write].entry);
		set_number(w, "epoch", h->writes[writes[i].write].epoch);
		set_number(w, "sector", writes[i].sector);
		set_number(w, "sectors", writes[i].count);
		set_text(w, "mark", report_mark_before(h, h->writes[writes[i].write].entry));
		set_text(w, "file", writes[i].file);
		plist_array_append_item(out, w);
	}
	return out;
}

static void json_cut(plist_t out, const struct report *r)
{
	const struct history *h = &r->recording->history;
	struct text said = TEXT_INIT;
	struct err e = ERR_INIT;
	struct state s;

	if (state_parse(&s, h, r->smallest.state, &e))
		return;
	report_say_cut(h, s.cut, &said);
	set_text(out, "cut", text_str(&said));
	set_number(out, "epoch", s.cut->epoch);
	set_number(out, "entry", s.cut->entry);
	set_number(out, "marks", s.cut->marks);
	state_free(&s);
	text_free(&said);
}

static plist_t json_state(const struct report *r)
{
	const struct trial_result *result = &r->smallest.result;
	plist_t out = plist_new_dict();

	set_text(out, "state", r->smallest.state);
	set_text(out, "verdict", verdict_name(result->verdict));
	if (result->verdict == VERDICT_FAILED || result->verdict == VERDICT_CRASHED)
		set_number(out, result->verdict == VERDICT_FAILED ? "status" : "signal", (uint64_t)result->status);
	json_cut(out, r);
	set_text(out, "output", text_str(&result->output));
	plist_dict_set_item(out, "lost", json_writes(&r->recording->history, r->lost, r->n_lost));
	plist_dict_set_item(out, "later", json_writes(&r->recording->history, r->later, r->n_later));
	return out;
}

/* The states that did not pass. */
static plist_t json_failures(const struct report *r)
{
	plist_t out = plist_new_array();
	size_t i;

	for (i = 0; i < r->n; i++) {
		plist_t one;

		if (!r->jobs[i].done || r->jobs[i].result.verdict == VERDICT_PASSED)
			continue;
		one = plist_new_dict();
		set_text(one, "state", r->jobs[i].state);
		set_text(one, "verdict", verdict_name(r->jobs[i].result.verdict));
		plist_array_append_item(out, one);
	}
	return out;
}

plist_t report_json(const struct report *r)
{
	plist_t out = plist_new_dict();

	plist_dict_set_item(out, "recording", json_recording(r->recording));
	if (r->n) {
		plist_dict_set_item(out, "states", json_counts(r));
		plist_dict_set_item(out, "failures", json_failures(r));
	}
	if (r->failed)
		plist_dict_set_item(out, r->n ? "smallest" : "played", json_state(r));
	if (r->failed && r->n)
		set_text(out, "again", r->again);
	return out;
}
