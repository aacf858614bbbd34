/* SPDX-License-Identifier: BSD-2-Clause */
/* What a line and a cut can say, in words, and back. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/words.h"
#include "targets/powercut/power.h"

#define PAGE 8u				/* sectors */
#define MEMORY (UINT64_C(256) << 11)	/* sectors: 256 MiB */
#define MEMORY_MOST (UINT64_C(1) << 31)
#define DIRECTORY "/var/tmp"

/* One that nobody has said: it is printed, so that it can be said. */
static uint64_t some_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)time(NULL);
	return seed >> 32;
}

static void arg_unit(struct dm_args *a, struct power_words *w, const char *word)
{
	if (!strcmp(word, "sector"))
		w->shape.unit = 1;
	else if (!strcmp(word, "page"))
		w->shape.unit = PAGE;
	else
		w->shape.unit = (uint32_t)dm_arg_number(a, "<sectors>", 1, BACK_SECTORS);
}

static void arg_mode(struct dm_args *a, struct power_words *w)
{
	const char *word = dm_arg_word(a, "<mode>");

	w->mode = survive_mode_find(word);
	if (w->mode == SURVIVE_MODES)
		dm_args_fail(a, "'%.32s' is not a mode: lost, kept, prefix, subset, reordered, torn or any", word);
}

static void arg_spill(struct dm_args *a, struct power_words *w)
{
	const char *word = dm_arg_word(a, "<directory>");

	if (!dm_args_failed(a) && (*word != '/' || strlen(word) >= sizeof(w->shape.spill) || strpbrk(word, " \t\n\\\"'")))
		dm_args_fail(a, "'%.64s' is not an absolute path of less than %zu bytes without blanks and quotes", word,
			     sizeof(w->shape.spill));
	snprintf(w->shape.spill, sizeof(w->shape.spill), "%s", word);
}

static bool is_unit(const char *word)
{
	return !strcmp(word, "sector") || !strcmp(word, "page") || !strcmp(word, "chunk");
}

static void arg_option(struct dm_args *a, struct power_words *w, const char *word, bool after_unit)
{
	if (is_unit(word))
		arg_unit(a, w, word);
	else if (!strcmp(word, "mode"))
		arg_mode(a, w);
	else if (!strcmp(word, "spill"))
		arg_spill(a, w);
	else if (!strcmp(word, "memory"))
		w->shape.memory = dm_arg_sectors(a, "<size>", MEMORY_LEAST / DM_SECTOR, MEMORY_MOST);
	else if (!strcmp(word, "seed"))
		w->seed = dm_arg_number(a, "<number>", 0, UINT64_MAX);
	else if (!strcmp(word, "hang"))
		w->hangs = true;
	else if (after_unit && isdigit((unsigned char)*word))
		dm_args_fail(a, "'%.32s': only chunk takes a number: chunk %.32s atomic", word, word);
	else if (strcmp(word, "atomic") || !after_unit)
		dm_args_fail(a, "'%.32s' is not an option: seed <n>, mode <mode>, sector atomic, page atomic, chunk <n> atomic, hang, "
			     "memory <size> or spill <directory>", word);
}

int power_words(struct dm_args *a, struct power_words *w)
{
	bool after_unit = false;
	char word[32];

	*w = (struct power_words){ .seed = some_seed(), .mode = SURVIVE_ANY, .shape = { .unit = PAGE, .memory = MEMORY } };
	strcpy(w->shape.spill, DIRECTORY);
	while (dm_args_left(a)) {
		snprintf(word, sizeof(word), "%s", dm_arg_word(a, "<option>"));
		arg_option(a, w, word, after_unit);
		after_unit = is_unit(word);
	}
	return dm_args_end(a);
}

void power_words_text(const struct power_words *w, struct text *out)
{
	text_printf(out, " seed %" PRIu64, w->seed);
	if (w->mode != SURVIVE_ANY)
		text_printf(out, " mode %s", survive_mode_name(w->mode));
	if (w->shape.unit == 1)
		text_add(out, " sector atomic");
	else if (w->shape.unit != PAGE)
		text_printf(out, " chunk %u atomic", w->shape.unit);
	if (w->hangs)
		text_add(out, " hang");
	if (w->shape.memory != MEMORY)
		text_printf(out, " memory %" PRIu64, w->shape.memory);
	if (strcmp(w->shape.spill, DIRECTORY))
		text_printf(out, " spill %s", w->shape.spill);
}

static int cut_seed(struct cut_words *c, const char *word, struct err *e)
{
	c->has_seed = true;
	if (!word)
		return err_set(e, -EINVAL, "a number is missing behind `seed`");
	return words_u64(word, &c->seed) ? err_set(e, -EINVAL, "the seed '%.32s' is not a number", word) : 0;
}

int power_cut_words(struct cut_words *c, int argc, char **argv, struct err *e)
{
	int i, r = 0;

	*c = (struct cut_words){ .has_mode = false };
	for (i = 0; !r && i < argc; i++) {
		enum survive_mode mode = survive_mode_find(argv[i]);

		if (mode != SURVIVE_MODES) {
			c->has_mode = true;
			c->mode = mode;
		} else if (!strcmp(argv[i], "hang")) {
			c->hangs = true;
		} else if (!strcmp(argv[i], "seed")) {
			i++;
			r = cut_seed(c, i < argc ? argv[i] : NULL, e);
		} else {
			r = err_set(e, -EINVAL, "'%.32s' does not say how to cut the power: a mode (lost, kept, prefix, subset, reordered, torn, "
				    "any), seed <n>, hang, after <n> writes, after <n> flushes, at mark <name>, never", argv[i]);
		}
	}
	return r;
}
