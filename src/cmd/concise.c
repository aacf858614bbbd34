/* SPDX-License-Identifier: BSD-2-Clause */
/* The concise format: see concise.h. A backslash takes the next character literally. */
#include "cmd/concise.h"

#include <errno.h>
#include <string.h>

#include "base/words.h"

/* True at the end of a device. */
static bool concise_over(char c)
{
	return !c || c == ';';
}

/*
 * Unescapes one field in place and terminates it with NUL; a line break at its end is dropped unless it is escaped. *AT
 * moves past the separator, which is returned.
 */
static char concise_field(char **at, char **out)
{
	char *from = *at, *to, *kept, end;

	while (words_blank(*from))
		from++;
	*out = to = kept = from;
	for (; !concise_over(*from) && *from != ','; from++) {
		if (*from == '\\' && from[1]) {
			*to++ = *++from;
			kept = to;
		} else {
			*to++ = *from;
		}
	}
	while (to > kept && (to[-1] == '\n' || to[-1] == '\r'))
		to--;
	end = *from;
	*at = end ? from + 1 : from;
	*to = '\0';
	return end;
}

/* The rest of the device: its lines, joined with line breaks. */
static void concise_table(char **at, char **out, char end)
{
	char *line, *to;

	*out = to = *at;
	while (end == ',') {
		end = concise_field(at, &line);
		if (to != *out)
			*to++ = '\n';
		memmove(to, line, strlen(line) + 1);
		to += strlen(to);
	}
	*to = '\0';
}

static int concise_flags(struct concise *c, const char *minor, const char *flags, struct err *e)
{
	uint64_t n = 0;

	if (*minor && (words_u64(minor, &n) || n > UINT32_MAX))
		return err_set(e, -EINVAL, "%s: the minor '%s' is not a number", c->name, minor);
	if (*flags && strcmp(flags, "ro") && strcmp(flags, "rw"))
		return err_set(e, -EINVAL, "%s: invalid flags '%s': must be ro or rw", c->name, flags);
	c->has_minor = *minor;
	c->minor = (uint32_t)n;
	c->readonly = !strcmp(flags, "ro");
	return 0;
}

int concise_next(char **at, struct concise *c, struct err *e)
{
	char *fields[4] = { NULL }, end = ',';
	unsigned i;
	int r;

	while (words_blank(**at) || **at == ';')
		++*at;
	if (!**at)
		return 0;
	for (i = 0; i < 4 && end == ','; i++)
		end = concise_field(at, &fields[i]);
	if (i < 4)
		return err_set(e, -EINVAL, "%s: only %u of the fields NAME,UUID,MINOR,ro|rw,LINE[,LINE]...; the first "
			       "four are required; UUID, MINOR and flags may be empty", fields[0], i);
	if (!*fields[0])
		return err_set(e, -EINVAL, "the name of a device is empty");
	c->name = fields[0];
	c->uuid = fields[1];
	r = concise_flags(c, fields[2], fields[3], e);
	if (r)
		return r;
	if (end == ',')
		concise_table(at, &c->table, end);
	else
		c->table = "";
	return 1;
}

void concise_add(struct text *out, const char *s)
{
	const char *first = s;

	for (; *s; s++) {
		if (strchr(",;\\\n\r", *s) || (s == first && words_blank(*s)))
			text_add_n(out, "\\", 1);
		text_add_n(out, s, 1);
	}
}
