/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as JUnit's XML: see report.h. A test case is a cut; it has a failure if the program fails in one of its states, and an error if it is
 * the file system. What is said are the first such state and what the check printed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "crash/report.h"

/* XML has no control characters, and is UTF-8. */
static void junit_text(struct text *out, const char *s)
{
	size_t n, left = strlen(s);

	for (; left; left -= n, s += n) {
		n = utf8_char(s, left);
		if (*s == '<')
			text_add(out, "&lt;");
		else if (*s == '&')
			text_add(out, "&amp;");
		else if (*s == '"')
			text_add(out, "&quot;");
		else if (!n || (n == 1 && (unsigned char)*s < ' ' && *s != '\n' && *s != '\t') || *s == 127)
			text_add(out, "?");
		else
			text_add_n(out, s, n);
		n = n ? n : 1;
	}
}

static bool junit_worse(const struct crew_job *a, const struct crew_job *b)
{
	return !b || (verdict_is_programs(a->result.verdict) && !verdict_is_programs(b->result.verdict));
}

static void junit_failure(const struct report *r, const struct crew_job *job, struct text *out)
{
	const char *tag = verdict_is_programs(job->result.verdict) ? "failure" : "error";
	struct text said = TEXT_INIT;

	report_say_verdict(&job->result, &said);
	text_printf(out, "      <%s type=\"%s\" message=\"state %s: ", tag, verdict_name(job->result.verdict), job->state);
	junit_text(out, text_str(&said));
	text_printf(out, "\">");
	junit_text(out, text_str(&job->result.output));
	text_printf(out, "\nto play it again: ");
	junit_text(out, r->again);
	text_printf(out, " --play %s</%s>\n", job->state, tag);
	text_free(&said);
}

static uint64_t junit_cut(const struct crew_job *job)
{
	return strtoull(job->state, NULL, 10);
}

/* The states of one cut, which stand together; where they end. */
static size_t junit_case(const struct report *r, size_t i, struct text *out)
{
	const struct history *h = &r->recording->history;
	const struct crew_job *worst = NULL;
	uint64_t cut = junit_cut(&r->jobs[i]);
	struct text said = TEXT_INIT;

	for (; i < r->n && junit_cut(&r->jobs[i]) == cut; i++)
		if (r->jobs[i].done && r->jobs[i].result.verdict != VERDICT_PASSED && junit_worse(&r->jobs[i], worst))
			worst = &r->jobs[i];
	text_printf(out, "    <testcase classname=\"dmuse.crash\" name=\"cut %" PRIu64 ": ", cut);
	report_say_cut(h, &h->cuts[cut], &said);
	junit_text(out, text_str(&said));
	text_free(&said);
	text_add(out, worst ? "\">\n" : "\"/>\n");
	if (worst) {
		junit_failure(r, worst, out);
		text_add(out, "    </testcase>\n");
	}
	return i;
}

/* How many cases there are, and of those how many have a failure or an error. */
static void junit_count(const struct report *r, size_t *cases, size_t *failures, size_t *errors)
{
	bool failed = false, error = false;
	size_t i;

	*cases = *failures = *errors = 0;
	for (i = 0; i < r->n; i++) {
		enum verdict v = r->jobs[i].result.verdict;

		failed |= r->jobs[i].done && verdict_is_programs(v);
		error |= r->jobs[i].done && v != VERDICT_PASSED && !verdict_is_programs(v);
		if (i + 1 < r->n && junit_cut(&r->jobs[i + 1]) == junit_cut(&r->jobs[i]))
			continue;
		*cases += 1;
		*failures += failed;
		*errors += error && !failed;
		failed = error = false;
	}
}

void report_junit(const struct report *r, struct text *out)
{
	size_t cases, failures, errors, i = 0;

	junit_count(r, &cases, &failures, &errors);
	text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	text_printf(out, "  <testsuite name=\"dmuse crash\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n", cases, failures, errors,
		    r->seconds);
	while (i < r->n)
		i = junit_case(r, i, out);
	text_add(out, "  </testsuite>\n</testsuites>\n");
}
