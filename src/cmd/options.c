/* SPDX-License-Identifier: BSD-2-Clause */
/* getopt_long(3) driven by options.list: see options.h. */
#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cmd/suggest.h"

/* Values of `val` for options without a letter. */
#define OPTIONS_LONG 256

const struct option_row option_rows[OPTIONS] = {
#define OPTION(id, letter, name, arg, about) [OPT_##id] = { letter, name, arg, about },
#include "cmd/options.list"
#undef OPTION
};

const uint8_t options_common[] = {
	OPT_help, OPT_version, OPT_socket, OPT_owner, OPT_json, OPT_manglename, OPTION_ACCEPTED, OPT_no_start, OPT_verbose,
	OPT_checks, OPT_noopencount, OPT_noudevrules, OPT_noudevsync, OPT_udevcookie, OPT_verifyudev, OPT_yes, OPTION_END,
};

bool options_listed(const uint8_t *list, unsigned id)
{
	for (; *list; list++)
		if (*list == id)
			return true;
	return false;
}

static bool options_allowed(const uint8_t *allowed, unsigned id)
{
	return !allowed || options_listed(allowed, id) || options_listed(options_common, id);
}

/* getopt's two tables. If several options have the same letter, it means the first. */
struct options_tables {
	char letters[3 * OPTIONS + 3];
	struct option longs[OPTIONS + 1];
	uint8_t by_letter[128];
};

static void options_letter(struct options_tables *t, unsigned id, char **at)
{
	const struct option_row *row = &option_rows[id];

	if (!row->letter || t->by_letter[row->letter])
		return;
	t->by_letter[row->letter] = (uint8_t)id;
	*(*at)++ = (char)row->letter;
	if (row->arg)
		*(*at)++ = ':';
}

static void options_prepare(struct options_tables *t, const uint8_t *allowed, bool stop)
{
	struct option *l = t->longs;
	char *at = t->letters;
	unsigned id;

	memset(t, 0, sizeof(*t));
	if (stop)
		*at++ = '+';
	*at++ = ':';
	for (id = OPTION_END + 1; id < OPTIONS; id++) {
		if (!options_allowed(allowed, id))
			continue;
		options_letter(t, id, &at);
		if (option_rows[id].name)
			*l++ = (struct option){ .name = option_rows[id].name, .has_arg = option_rows[id].arg != NULL,
						.val = OPTIONS_LONG + (int)id };
	}
}

/* An unknown long option: suggests one that may have been meant. */
static int options_unknown(const struct options_tables *t, const char *word, struct err *e)
{
	struct suggest s = { .word = word };
	char whole[2][64], meant[SUGGEST_TEXT];
	const struct option *l;
	unsigned i = 0;

	for (l = t->longs; l->name && !strncmp(word, "--", 2); l++) {
		snprintf(whole[i], sizeof(whole[i]), "--%s", l->name);
		suggest_try(&s, whole[i]);
		i ^= s.best == whole[i];
	}
	return err_set(e, -1, "unknown option '%s'%s", word, suggest_text(&s, meant));
}

static int options_bad(const struct options_tables *t, int c, char **argv, struct err *e)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt > 0 && optopt < OPTIONS_LONG)
		word = letter;
	if (c == ':')
		err_set(e, -EINVAL, "option %s requires an argument", word);
	else if (optopt >= OPTIONS_LONG)
		err_set(e, -EINVAL, "option %s takes no argument", word);
	else
		options_unknown(t, word, e);
	return -1;
}

static int options_say(struct options *o, unsigned id, const char *value, struct err *e)
{
	struct option_said *said = reallocarray(o->said, o->n_said + 1, sizeof(*said));

	if (!said) {
		err_set(e, -ENOMEM, "no memory");
		return -1;
	}
	said[o->n_said++] = (struct option_said){ id, value };
	o->said = said;
	o->given[id] = true;
	o->value[id] = value;
	return 0;
}

const char *options_words(const struct options *o, const uint8_t *others, struct text *out)
{
	size_t i;

	for (i = 0; i < o->n_said; i++) {
		const struct option_said *s = &o->said[i];

		if (options_listed(others, s->id))
			continue;
		text_printf(out, "%s--%s", out->len ? " " : "", option_rows[s->id].name);
		if (!s->value)
			continue;
		text_add(out, " ");
		text_add_word(out, s->value);
	}
	return text_str(out);
}

void options_free(struct options *o)
{
	free(o->said);
	o->said = NULL;
	o->n_said = 0;
}

int options_take(struct options *o, const uint8_t *allowed, bool stop, int argc, char **argv, struct err *e)
{
	struct options_tables t;
	unsigned id;
	int c;

	options_prepare(&t, allowed, stop);
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return options_bad(&t, c, argv, e);
		id = c >= OPTIONS_LONG ? (unsigned)(c - OPTIONS_LONG) : t.by_letter[c];
		if (options_say(o, id, optarg, e))
			return -1;
	}
	return optind;
}

int options_number(const struct options *o, enum option_id id, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v;

	if (!o->given[id])
		return 0;
	if (words_u64(o->value[id], &v) || v > max)
		return err_set(e, -EINVAL, "--%s %s: not a number from 0 to %llu", option_rows[id].name,
			       o->value[id], (unsigned long long)max);
	*out = v;
	return 0;
}

int options_word(const struct options *o, enum option_id id, const char *const *names, int preset, struct err *e)
{
	int i;

	if (!o->given[id])
		return preset;
	for (i = 0; names[i]; i++)
		if (!strcmp(names[i], o->value[id]))
			return i;
	return err_set(e, -EINVAL, "--%s %s: must be one of %s, %s, %s%s%s", option_rows[id].name, o->value[id],
		       names[0], names[1], names[2], names[3] ? ", " : "", names[3] ? names[3] : "");
}
