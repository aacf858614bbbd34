/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line's options: options.list as an enum, and which of them were given. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum option_id {
	OPTION_END,	/* ends a list of options */
	OPTION_ACCEPTED,	/* the following ones are accepted but not listed */
#define OPTION(id, letter, name, arg, about) OPT_##id,
#include "cmd/options.list"
#undef OPTION
	OPTIONS
};

struct option_row {
	int letter;		/* 0 if none */
	const char *name;	/* NULL if it has only a letter */
	const char *arg;	/* the argument's name in the help; NULL if it takes none */
	const char *about;
};

extern const struct option_row option_rows[OPTIONS];

/* Options of all sub-commands. */
extern const uint8_t options_common[];

/* Is ID in LIST? */
bool options_listed(const uint8_t *list, unsigned id);

struct option_said {
	unsigned id;
	const char *value;
};

struct options {
	bool given[OPTIONS];
	const char *value[OPTIONS];	/* the last one given */
	struct option_said *said;	/* all that were given, in order; freed by options_free() */
	size_t n_said;
};

/*
 * Parses the options in argv[1..] that are in ALLOWED (ends with OPTION_END) or common; NULL allows all. With STOP it
 * ends at the first word, else words are moved after the options. Returns the index of the first word, or -1 and a
 * sentence.
 */
int options_take(struct options *o, const uint8_t *allowed, bool stop, int argc, char **argv, struct err *e);

void options_free(struct options *o);

/* Those that were given, but the OTHERS (a list), as words of a command line, in OUT. */
const char *options_words(const struct options *o, const uint8_t *others, struct text *out);

/* The value of a numeric option in *OUT, which is not changed if it was not given. 0, or -EINVAL and a sentence. */
int options_number(const struct options *o, enum option_id id, uint64_t max, uint64_t *out, struct err *e);

/* The index in NAMES (which ends with NULL) of the value of option ID; PRESET if it was not given; -EINVAL. */
int options_word(const struct options *o, enum option_id id, const char *const *names, int preset, struct err *e);

#endif
