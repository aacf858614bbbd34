/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of a table as text: "start length target params", or a comment, or nothing. */
#include <errno.h>
#include <string.h>

#include "base/words.h"
#include "core/table/build.h"

/* One of the two numbers at the start of a line. */
static int text_number(struct dm_build *b, char **at, const char *what, uint64_t *out)
{
	const char *word = words_next(at, b->err), *right = b->o.sizes ? "sectors of 512 bytes, or 64K, 10M" : "sectors of 512 bytes";
	int r;

	if (!word)
		return err_set(b->err, -EINVAL, "%s is missing; a line is: start length target words...", what);
	r = b->o.sizes ? words_sectors(word, out) : words_u64(word, out);
	if (r == -ERANGE)
		return err_set(b->err, -EINVAL, "%s '%.80s' is larger than 64 bits can hold", what, word);
	if (r)
		return err_set(b->err, -EINVAL, "%s '%.80s' is not a number (%s)", what, word, right);
	return 0;
}

static int text_read(struct dm_build *b, char *line)
{
	uint64_t start, len;
	const char *type;

	line += strspn(line, " \t\r");
	if (!*line || *line == '#')
		return 0;
	if (text_number(b, &line, "the start", &start) || text_number(b, &line, "the length", &len))
		return b->err->code;
	type = words_next(&line, b->err);
	if (!type)
		return err_set(b->err, -EINVAL, "the target is missing; a line is: start length target words...");
	return dm_build_target_line(b, start, len, type, line);
}

int dm_build_text_line(struct dm_build *b, const char *from, size_t len)
{
	char *line;
	int r;

	b->line++;
	b->type = NULL;
	line = dm_build_scratch(b, from, len);
	if (!line)
		dm_build_no_memory(b);
	r = line ? text_read(b, line) : -ENOMEM;
	if (!r)
		return 0;
	return dm_build_waits(b) ? DM_BUILD_WAITS : dm_build_failed(b);
}
