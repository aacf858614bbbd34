/* SPDX-License-Identifier: BSD-2-Clause */
/* What somebody who wrote a word wrong may have meant. */
#ifndef CMD_SUGGEST_H
#define CMD_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;	/* what was written */
	const char *best;	/* the nearest so far, or NULL */
	size_t distance;	/* its distance */
};

/* for each CANDIDATE that there is: suggest_try(&s, candidate); then s.best is what was meant, or NULL. */
void suggest_try(struct suggest *s, const char *candidate);

/* "; did you mean 'BEST'?", or nothing; in BUFFER. */
#define SUGGEST_TEXT 80
const char *suggest_text(const struct suggest *s, char buffer[SUGGEST_TEXT]);

#endif
