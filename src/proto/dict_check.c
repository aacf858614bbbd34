/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of a request, checked before libplist reads it: see dict.h. It is
 * that of NetBSD's proplib, plus blanks inside tags: <plist> around one <dict>,
 * and inside only dict, array, key, string, integer, data, true, false.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/dict_text.h"

enum check_kind { KIND_PLIST, KIND_DICT, KIND_ARRAY, KIND_KEY, KIND_STRING, KIND_INTEGER, KIND_DATA, KIND_TRUE,
		  KIND_FALSE, KINDS };

static const char *const check_names[KINDS] = {
	"plist", "dict", "array", "key", "string", "integer", "data", "true", "false",
};

struct check {
	const char *begin, *at, *end;
	struct err *e;
	unsigned depth, nodes;
	struct {
		enum check_kind kind;
		unsigned n;		/* elements so far; in a dictionary an odd one out is a key without value */
	} level[DICT_DEPTH_MAX];
};

struct check_tag {
	const char *at;
	enum check_kind kind;
	bool close, empty;
};

/* The sentence, with the place: AT. */
__attribute__((format(printf, 3, 4)))
static int check_fail(struct check *c, const char *at, const char *fmt, ...)
{
	size_t line = 1;
	const char *p;
	char why[400];
	va_list ap;

	for (p = c->begin; p < at; p++)
		line += *p == '\n';
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(c->e, -EIO, "the message cannot be read: line %zu, byte %zu: %s", line, (size_t)(at - c->begin),
		       why);
}

static void check_skip_blanks(struct check *c)
{
	while (c->at < c->end && dict_blank(*c->at))
		c->at++;
}

static bool check_begins(const struct check *c, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(c->end - c->at) >= n && !memcmp(c->at, word, n);
}

/* Moves behind the next CLOSE; OPEN is what the thing begins with. */
static int check_skip_to(struct check *c, const char *open, const char *close)
{
	const char *from = c->at + strlen(open), *found = memmem(from, (size_t)(c->end - from), close, strlen(close));

	if (!found)
		return check_fail(c, c->at, "%s has no end", open);
	if (dict_text_good(from, (size_t)(found - from)) < (size_t)(found - from))
		return check_fail(c, c->at, "%s holds what is no text", open);
	c->at = found + strlen(close);
	return 0;
}

/* Quotes come in pairs. What we take for the end of a tag must not lie inside of quotes for libplist. */
static int check_quotes(struct check *c, const char *from)
{
	const char *p = from;
	unsigned n = 0;

	while ((p = memchr(p, '"', (size_t)(c->at - p)))) {
		n++;
		p++;
	}
	return n % 2 ? check_fail(c, from, "a quote has no end") : 0;
}

static int check_skip_instruction(struct check *c)
{
	const char *from = c->at;

	return check_skip_to(c, "<?xml ", "?>") ? -EIO : check_quotes(c, from);
}

static int check_skip_doctype(struct check *c)
{
	const char *from = c->at;

	if (check_skip_to(c, "<!DOCTYPE", ">") || check_quotes(c, from))
		return -EIO;
	if (memchr(from, '[', (size_t)(c->at - from)) || memchr(from + 1, '<', (size_t)(c->at - from) - 1))
		return check_fail(c, from, "a document type with declarations of its own is not accepted");
	return 0;
}

/* Blanks and comments; in front of <plist> also <?xml ...?> and <!DOCTYPE ...>. */
static int check_skip(struct check *c, bool prologue)
{
	int r = 0;

	while (!r) {
		check_skip_blanks(c);
		if (check_begins(c, "<!--"))
			r = check_skip_to(c, "<!--", "-->");
		else if (prologue && check_begins(c, "<?xml "))
			r = check_skip_instruction(c);
		else if (prologue && check_begins(c, "<!DOCTYPE"))
			r = check_skip_doctype(c);
		else
			return 0;
	}
	return r;
}

static int check_tag_name(struct check *c, struct check_tag *t)
{
	const char *name = c->at;
	size_t n;
	int k;

	while (c->at < c->end && ((*c->at >= 'a' && *c->at <= 'z') || (*c->at >= 'A' && *c->at <= 'Z')))
		c->at++;
	n = (size_t)(c->at - name);
	for (k = 0; k < KINDS; k++)
		if (strlen(check_names[k]) == n && !memcmp(check_names[k], name, n))
			break;
	if (!n)
		return check_fail(c, t->at, "after '<' comes no name of an element");
	if (k == KINDS || (c->at < c->end && !dict_blank(*c->at) && *c->at != '/' && *c->at != '>'))
		return check_fail(c, t->at, "<%.*s> is no element of this protocol; dict array key string integer data "
				  "true false are", n > 40 ? 40 : (int)n, name);
	t->kind = (enum check_kind)k;
	return 0;
}

/* Only <plist> has any: version="1.0", which says nothing. */
static int check_attributes(struct check *c, const struct check_tag *t)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at != '>' && *c->at != '/' && *c->at != '<')
		c->at++;
	if (dict_text_good(from, (size_t)(c->at - from)) < (size_t)(c->at - from))
		return check_fail(c, from, "an attribute holds what is no text");
	if (c->at > from && (t->kind != KIND_PLIST || t->close))
		return check_fail(c, from, "<%s> has no attributes here", check_names[t->kind]);
	return check_quotes(c, from);
}

static int check_tag(struct check *c, struct check_tag *t)
{
	*t = (struct check_tag){ .at = c->at };
	if (c->at == c->end)
		return check_fail(c, c->at, "it ends too early");
	if (*c->at != '<')
		return check_fail(c, c->at, "text where only an element may stand");
	c->at++;
	t->close = check_begins(c, "/");
	c->at += t->close;
	if (check_tag_name(c, t))
		return -EIO;
	check_skip_blanks(c);
	if (check_attributes(c, t))
		return -EIO;
	t->empty = !t->close && check_begins(c, "/");
	c->at += t->empty;
	if (!check_begins(c, ">"))
		return check_fail(c, t->at, "<%s has no '>'", check_names[t->kind]);
	c->at++;
	return 0;
}

static int check_content(struct check *c, const struct check_tag *t, const char *from, const char *end)
{
	const char *bad;

	if (t->kind == KIND_INTEGER && !dict_integer_good(from, end))
		return check_fail(c, from, "<integer>%.*s</integer> is no whole number of 64 bits",
				  end - from > 40 ? 40 : (int)(end - from), from);
	if (t->kind == KIND_DATA && (bad = dict_data_bad(from, end)))
		return check_fail(c, bad, "<data> holds what is no base64 of whole bytes");
	if (t->kind == KIND_KEY && from == end)
		return check_fail(c, t->at, "a key must have a name");
	if ((bad = dict_entity_bad(from, end)))
		return check_fail(c, bad, "'&' begins none of &amp; &lt; &gt; &apos; &quot; nor the number of a "
				  "character");
	return 0;
}

/* <string>, <key> and so on: the text and the closing tag. */
static int check_text(struct check *c, const struct check_tag *t)
{
	const char *from = c->at, *end = memchr(from, '<', (size_t)(c->end - from));
	struct check_tag close;
	size_t good;

	if (!end)
		return check_fail(c, t->at, "<%s> has no end", check_names[t->kind]);
	good = dict_text_good(from, (size_t)(end - from));
	if (from + good < end)
		return check_fail(c, from + good, "byte 0x%02x inside <%s>: a text is UTF-8 without control characters",
				  (unsigned char)from[good], check_names[t->kind]);
	if (check_content(c, t, from, end))
		return -EIO;
	c->at = end;
	if (check_tag(c, &close))
		return -EIO;
	if (!close.close || close.kind != t->kind)
		return check_fail(c, end, "<%s> is closed by something else", check_names[t->kind]);
	return 0;
}

/* An element is about to stand inside the innermost dictionary or array. */
static int check_place(struct check *c, const struct check_tag *t)
{
	unsigned *n = &c->level[c->depth - 1].n;

	if (++c->nodes > DICT_NODES_MAX)
		return check_fail(c, t->at, "it has more than %u elements; a long table goes into the one string `table`",
				  DICT_NODES_MAX);
	if (c->level[c->depth - 1].kind == KIND_ARRAY)
		return t->kind == KIND_KEY ? check_fail(c, t->at, "a <key> inside an array") : 0;
	if ((*n)++ % 2)
		return t->kind == KIND_KEY ? check_fail(c, t->at, "a <key> where a key's value should stand") : 0;
	if (t->kind != KIND_KEY)
		return check_fail(c, t->at, "<%s> where a <key> should stand", check_names[t->kind]);
	return *n < 2 * DICT_KEYS_MAX ? 0 : check_fail(c, t->at, "a dictionary of more than %u keys", DICT_KEYS_MAX);
}

static int check_open(struct check *c, const struct check_tag *t)
{
	if (t->kind == KIND_PLIST)
		return check_fail(c, t->at, "a <plist> inside a <plist>");
	if (c->depth && check_place(c, t))
		return -EIO;
	if (t->kind == KIND_KEY && t->empty)
		return check_fail(c, t->at, "a key must have a name");
	if ((t->kind == KIND_TRUE || t->kind == KIND_FALSE) && !t->empty)
		return check_fail(c, t->at, "<%s> is written <%s/>", check_names[t->kind], check_names[t->kind]);
	if (t->empty)
		return t->kind == KIND_INTEGER ? check_fail(c, t->at, "an <integer/> without digits") : 0;
	if (t->kind != KIND_DICT && t->kind != KIND_ARRAY)
		return check_text(c, t);
	if (c->depth == DICT_DEPTH_MAX)
		return check_fail(c, t->at, "more than %d dictionaries and arrays inside one another", DICT_DEPTH_MAX);
	c->level[c->depth].kind = t->kind;
	c->level[c->depth++].n = 0;
	return 0;
}

static int check_close(struct check *c, const struct check_tag *t)
{
	if (!c->depth || t->kind != c->level[c->depth - 1].kind)
		return check_fail(c, t->at, "</%s> closes what is not open", check_names[t->kind]);
	c->depth--;
	if (t->kind == KIND_DICT && c->level[c->depth].n % 2)
		return check_fail(c, t->at, "the dictionary's last key has no value");
	return 0;
}

static int check_root(struct check *c)
{
	struct check_tag t;

	if (check_skip(c, false) || check_tag(c, &t))
		return -EIO;
	if (t.kind != KIND_DICT || t.close)
		return check_fail(c, t.at, "the top element is no <dict>");
	if (check_open(c, &t))
		return -EIO;
	while (c->depth)
		if (check_skip(c, false) || check_tag(c, &t) || (t.close ? check_close(c, &t) : check_open(c, &t)))
			return -EIO;
	return 0;
}

int dict_check_start(const char *bytes, size_t n, struct err *e)
{
	struct check c = { .begin = bytes, .at = bytes, .end = bytes + n, .e = e };

	if (check_begins(&c, "bplist"))
		return err_set(e, -EIO, "the message is a binary property list; this protocol speaks XML property lists");
	check_skip_blanks(&c);
	if (c.at < c.end && *c.at != '<')
		return check_fail(&c, c.at, "no XML property list begins like this");
	return 0;
}

int dict_check(const char *bytes, size_t n, struct err *e)
{
	struct check c = { .begin = bytes, .at = bytes, .end = bytes + n, .e = e };
	struct check_tag t;

	if (dict_check_start(bytes, n, e) || check_skip(&c, true) || check_tag(&c, &t))
		return -EIO;
	if (t.kind != KIND_PLIST || t.close || t.empty)
		return check_fail(&c, t.at, "the outermost element is no <plist>");
	if (check_root(&c) || check_skip(&c, false) || check_tag(&c, &t))
		return -EIO;
	if (t.kind != KIND_PLIST || !t.close)
		return check_fail(&c, t.at, "<plist> holds more than one <dict>");
	if (check_skip(&c, false))
		return -EIO;
	/* proplib sends the end of its C string along; like there, nothing behind a NUL is read. */
	return c.at < c.end && *c.at ? check_fail(&c, c.at, "something follows </plist>") : 0;
}
