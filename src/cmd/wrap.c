/* SPDX-License-Identifier: BSD-2-Clause */
/* See wrap.h. If there is hardly any room to the right of the left column, the text is printed below it. */
#include "cmd/wrap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/words.h"

#define WRAP_LEAST 24	/* minimal columns of text beside a left column */
#define WRAP_BELOW 6	/* else the text goes below, with this indentation */

unsigned wrap_width(FILE *to)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { .ws_col = 0 };
	uint64_t n;

	if (columns && !words_u64(columns, &n) && n > 0 && n < 10000)
		return (unsigned)n;
	if (ioctl(fileno(to), TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/* The length of the words at the front of TEXT that fit into ROOM; at least one word. */
static size_t wrap_fitting(const char *text, size_t room)
{
	size_t n = strcspn(text, " "), more;

	while (text[n]) {
		more = n + 1 + strcspn(text + n + 1, " ");
		if (more > room)
			break;
		n = more;
	}
	return n;
}

void wrap_print(FILE *to, unsigned width, unsigned indent, const char *left, const char *text)
{
	unsigned at = (unsigned)strlen(left);
	size_t n;

	fputs(left, to);
	if (width && indent + WRAP_LEAST > width)
		indent = WRAP_BELOW < width ? WRAP_BELOW : 0;
	if (at && at >= indent && width) {
		fputc('\n', to);
		at = 0;
	}
	do {
		n = width ? wrap_fitting(text, width - indent) : strlen(text);
		fprintf(to, "%*s%s%.*s\n", (int)(at < indent ? indent - at : 0), "", at && at >= indent ? " " : "", (int)n, text);
		text += n + (text[n] == ' ');
		at = 0;
	} while (*text);
}
