/* SPDX-License-Identifier: BSD-2-Clause */
/* Suggestions for a misspelt word. */
#ifndef CMD_SUGGEST_H
#define CMD_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;	/* as it was written */
	const char *best;	/* the closest so far, or NULL */
	size_t distance;	/* its distance */
};

/* Call suggest_try(&s, candidate) for each candidate; then s.best is what was meant, or NULL. */
void suggest_try(struct suggest *s, const char *candidate);

/* "; did you mean 'BEST'?", or nothing; in BUFFER. */
#define SUGGEST_TEXT 80
const char *suggest_text(const struct suggest *s, char buffer[SUGGEST_TEXT]);

#endif
