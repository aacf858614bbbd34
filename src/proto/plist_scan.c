/* SPDX-License-Identifier: BSD-2-Clause */
/* Scans tags, and the blanks, comments and declarations between them: see plist_scan.h. */
#include "proto/plist_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/plist_text.h"

const char *const scan_names[KINDS] = {
	"plist", "dict", "array", "key", "string", "integer", "data", "true", "false",
};

int scan_fail(struct scan *s, const char *at, const char *fmt, ...)
{
	size_t line = 1;
	const char *p;
	char why[400];
	va_list ap;

	for (p = s->begin; p < at; p++)
		line += *p == '\n';
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(s->e, -EIO, "the message cannot be read: line %zu, byte %zu: %s", line, (size_t)(at - s->begin),
		       why);
}

static void scan_skip_blanks(struct scan *s)
{
	while (s->at < s->end && plist_blank(*s->at))
		s->at++;
}

static bool scan_begins(const struct scan *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->at) >= n && !memcmp(s->at, word, n);
}

/* Moves past the next CLOSE; OPEN is what it started with. */
static int scan_skip_to(struct scan *s, const char *open, const char *close)
{
	const char *from = s->at + strlen(open), *found = memmem(from, (size_t)(s->end - from), close, strlen(close));

	if (!found)
		return scan_fail(s, s->at, "%s is not closed", open);
	if (plist_text_good(from, (size_t)(found - from)) < (size_t)(found - from))
		return scan_fail(s, s->at, "%s contains invalid text", open);
	s->at = found + strlen(close);
	return 0;
}

/* Quotes come in pairs. The end of a tag must not be inside quotes for other parsers. */
static int scan_quotes(struct scan *s, const char *from)
{
	const char *p = from;
	unsigned n = 0;

	while ((p = memchr(p, '"', (size_t)(s->at - p)))) {
		n++;
		p++;
	}
	return n % 2 ? scan_fail(s, from, "a quote is not closed") : 0;
}

static int scan_skip_instruction(struct scan *s)
{
	const char *from = s->at;

	return scan_skip_to(s, "<?xml ", "?>") ? -EIO : scan_quotes(s, from);
}

static int scan_skip_doctype(struct scan *s)
{
	const char *from = s->at;

	if (scan_skip_to(s, "<!DOCTYPE", ">") || scan_quotes(s, from))
		return -EIO;
	if (memchr(from, '[', (size_t)(s->at - from)) || memchr(from + 1, '<', (size_t)(s->at - from) - 1))
		return scan_fail(s, from, "a document type with internal declarations is not accepted");
	return 0;
}

int scan_skip(struct scan *s, bool prologue)
{
	int r = 0;

	while (!r) {
		scan_skip_blanks(s);
		if (scan_begins(s, "<!--"))
			r = scan_skip_to(s, "<!--", "-->");
		else if (prologue && scan_begins(s, "<?xml "))
			r = scan_skip_instruction(s);
		else if (prologue && scan_begins(s, "<!DOCTYPE"))
			r = scan_skip_doctype(s);
		else
			return 0;
	}
	return r;
}

static int scan_tag_name(struct scan *s, struct scan_tag *t)
{
	const char *name = s->at;
	size_t n;
	int k;

	while (s->at < s->end && ((*s->at >= 'a' && *s->at <= 'z') || (*s->at >= 'A' && *s->at <= 'Z')))
		s->at++;
	n = (size_t)(s->at - name);
	for (k = 0; k < KINDS; k++)
		if (strlen(scan_names[k]) == n && !memcmp(scan_names[k], name, n))
			break;
	if (!n)
		return scan_fail(s, t->at, "'<' is not followed by an element name");
	if (k == KINDS || (s->at < s->end && !plist_blank(*s->at) && *s->at != '/' && *s->at != '>'))
		return scan_fail(s, t->at, "<%.*s> is not an element of this protocol; the elements are dict array "
				 "key string integer data "
				  "true false", n > 40 ? 40 : (int)n, name);
	t->kind = (enum scan_kind)k;
	return 0;
}

/* Only <plist> has attributes: version="1.0", which means nothing. */
static int scan_attributes(struct scan *s, const struct scan_tag *t)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at != '>' && *s->at != '/' && *s->at != '<')
		s->at++;
	if (plist_text_good(from, (size_t)(s->at - from)) < (size_t)(s->at - from))
		return scan_fail(s, from, "an attribute contains invalid text");
	if (s->at > from && (t->kind != KIND_PLIST || t->close))
		return scan_fail(s, from, "attributes of <%s> are not accepted", scan_names[t->kind]);
	return scan_quotes(s, from);
}

int scan_tag(struct scan *s, struct scan_tag *t)
{
	*t = (struct scan_tag){ .at = s->at };
	if (s->at == s->end)
		return scan_fail(s, s->at, "the message is truncated");
	if (*s->at != '<')
		return scan_fail(s, s->at, "text where an element is expected");
	s->at++;
	t->close = scan_begins(s, "/");
	s->at += t->close;
	if (scan_tag_name(s, t))
		return -EIO;
	scan_skip_blanks(s);
	if (scan_attributes(s, t))
		return -EIO;
	t->empty = !t->close && scan_begins(s, "/");
	s->at += t->empty;
	if (!scan_begins(s, ">"))
		return scan_fail(s, t->at, "<%s has no '>'", scan_names[t->kind]);
	s->at++;
	return 0;
}

int scan_start(struct scan *s)
{
	if (scan_begins(s, "bplist"))
		return err_set(s->e, -EIO, "the message is a binary property list; this protocol uses XML property lists");
	scan_skip_blanks(s);
	if (s->at < s->end && *s->at != '<')
		return scan_fail(s, s->at, "the message is not an XML property list");
	return 0;
}
