/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See suggest.h. The distance of two words is the number of letters that are missing, added, wrong, or swapped with
 * their neighbour. A third of the letters may be wrong; a prefix of at least three letters is close as well.
 */
#include "cmd/suggest.h"

#include <stdio.h>
#include <string.h>

#define SUGGEST_LONGEST 40

static size_t suggest_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t suggest_distance(const char *a, const char *b)
{
	size_t d[SUGGEST_LONGEST + 1][SUGGEST_LONGEST + 1], n = strlen(a), m = strlen(b), i, j;

	if (n > SUGGEST_LONGEST || m > SUGGEST_LONGEST)
		return SUGGEST_LONGEST;
	for (i = 0; i <= n; i++)
		d[i][0] = i;
	for (j = 0; j <= m; j++)
		d[0][j] = j;
	for (i = 1; i <= n; i++)
		for (j = 1; j <= m; j++) {
			d[i][j] = suggest_least(suggest_least(d[i - 1][j], d[i][j - 1]) + 1,
						d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = suggest_least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

void suggest_try(struct suggest *s, const char *candidate)
{
	size_t length = strlen(s->word), distance = suggest_distance(s->word, candidate);

	if (length >= 3 && !strncmp(s->word, candidate, length))
		distance = 1;
	if (distance * 3 > length + 1 || (s->best && distance >= s->distance))
		return;
	s->best = candidate;
	s->distance = distance;
}

const char *suggest_text(const struct suggest *s, char buffer[SUGGEST_TEXT])
{
	if (!s->best)
		return "";
	snprintf(buffer, SUGGEST_TEXT, "; did you mean '%.50s'?", s->best);
	return buffer;
}
