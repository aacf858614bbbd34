/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and numbers of a table line: see words.h. */
#include "base/words.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

bool words_blank(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

char *words_line(const char *s)
{
	if (s[strspn(s, " \t\r")] == '#')
		return strchrnul(s, '\n');
	for (s += strcspn(s, "\\\n"); *s == '\\'; s += strcspn(s, "\\\n"))
		s += s[1] ? 2 : 1;
	return (char *)s;
}

/*
 * Moves the word's characters over its quotes, or with TO NULL only looks; returns the first character after the word, or NULL
 * if a quote is not closed.
 */
static char *words_unquote(char *from, char *to)
{
	char quote = 0;

	for (; *from && (quote || !words_blank(*from)); from++) {
		if (quote && *from == quote) {
			quote = 0;
		} else if (!quote && (*from == '\'' || *from == '"')) {
			quote = *from;
		} else {
			if (*from == '\\' && from[1] && quote != '\'')
				from++;
			if (to)
				*to++ = *from;
		}
	}
	if (!quote && *from)
		from++;
	if (to)
		*to = '\0';
	return quote ? NULL : from;
}

/* Most words have neither quotes nor backslashes. */
static char *words_end(char *word)
{
	char *end = word + strcspn(word, " \t\n\v\f\r'\"\\");

	if (*end && !words_blank(*end))
		return words_unquote(word, word);
	if (*end)
		*end++ = '\0';
	return end;
}

char *words_next(char **at, struct err *e)
{
	char *word = *at, *end;

	while (words_blank(*word))
		word++;
	*at = word;
	if (!*word)
		return NULL;
	end = words_end(word);
	if (!end) {
		err_set(e, -EINVAL, "a quote is not closed in: %.60s", word);
		return NULL;
	}
	*at = end;
	return word;
}

size_t words_count(const char *s)
{
	char *at = (char *)s;	/* is only looked at */
	size_t n = 0;

	for (;; n++) {
		while (words_blank(*at))
			at++;
		if (!*at || !(at = words_unquote(at, NULL)))
			return n;
	}
}

/* Parses the digits at S; *END is what follows them. */
static int words_digits(const char *s, uint64_t *out, const char **end)
{
	uint64_t v = 0;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	*out = v;
	*end = s;
	return 0;
}

int words_u64(const char *s, uint64_t *out)
{
	const char *end;
	int r = words_digits(s, out, &end);

	return r ? r : *end ? -EINVAL : 0;
}

int words_bytes(const char *s, uint64_t *out)
{
	static const char units[] = "KMGTP";
	const char *end, *unit;
	uint64_t scale = 1;
	int r = words_digits(s, out, &end);

	if (r || !*end)
		return r;
	unit = strchr(units, toupper((unsigned char)*end));
	if (unit)
		scale = 1ull << (10 * (unit - units + 1));
	else if (toupper((unsigned char)*end) == 'S')
		scale = 512;
	else
		return -EINVAL;
	if (end[1])
		return -EINVAL;
	return __builtin_mul_overflow(*out, scale, out) ? -ERANGE : 0;
}

int words_sectors(const char *s, uint64_t *out)
{
	int r = words_u64(s, out);

	if (r != -EINVAL)
		return r;
	r = words_bytes(s, out);
	if (r)
		return r;
	if (*out % 512)
		return -EDOM;
	*out /= 512;
	return 0;
}
