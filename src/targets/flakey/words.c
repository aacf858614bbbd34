/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a flakey line after its device: the two intervals, and features, whose words are counted before them. As on
 * Linux, of corrupt_bio_byte and the random ones the last counts, and words after the counted ones are ignored.
 */
#include <strings.h>

#include "targets/flakey/flakey.h"

/* The words that are left of the features, whose number stands before them. */
struct flakey_words {
	struct dm_args *a;
	uint64_t left;
};

static const char *words_take(struct flakey_words *w, const char *name)
{
	w->left--;
	return dm_arg_word(w->a, name);
}

static bool words_are_missing(struct flakey_words *w, const char *feature, unsigned n)
{
	if (w->left >= n)
		return false;
	dm_args_fail(w->a, "feature %s needs %u words behind it, but the number of feature words leaves it %llu", feature, n,
		     (unsigned long long)w->left);
	return true;
}

static uint32_t words_number(struct flakey_words *w, const char *name, uint64_t min, uint64_t max)
{
	w->left--;
	return (uint32_t)dm_arg_number(w->a, name, min, max);
}

static void feature_flag(struct flakey *k, struct flakey_words *w, unsigned feature, const char *name)
{
	if (k->features & feature)
		dm_args_fail(w->a, "feature %s is given twice", name);
	k->features |= feature;
	if (k->features & DROP_WRITES && k->features & ERROR_WRITES)
		dm_args_fail(w->a, "drop_writes and error_writes exclude each other");
}

static void feature_byte(struct flakey *k, struct flakey_words *w)
{
	const char *direction;

	if (words_are_missing(w, "corrupt_bio_byte", 4))
		return;
	k->byte = words_number(w, "<byte>", 1, UINT32_MAX);
	direction = words_take(w, "<direction>");
	k->of_writes = !strcasecmp(direction, "w");
	if (!k->of_writes && strcasecmp(direction, "r"))
		dm_args_fail(w->a, "word %u <direction>: '%.80s' is neither r (reads) nor w (writes)", w->a->word, direction);
	k->value = (uint8_t)words_number(w, "<value>", 0, UINT8_MAX);
	k->flags = words_number(w, "<flags>", 0, UINT32_MAX);
}

static void feature_random(uint32_t *odds, struct flakey_words *w, const char *name)
{
	if (!words_are_missing(w, name, 1))
		*odds = words_number(w, "<odds>", 0, FLAKEY_ODDS);
}

static void arg_feature(struct flakey *k, struct flakey_words *w)
{
	const char *name = words_take(w, "<feature>");

	if (!strcasecmp(name, "error_reads"))
		feature_flag(k, w, ERROR_READS, name);
	else if (!strcasecmp(name, "drop_writes"))
		feature_flag(k, w, DROP_WRITES, name);
	else if (!strcasecmp(name, "error_writes"))
		feature_flag(k, w, ERROR_WRITES, name);
	else if (!strcasecmp(name, "corrupt_bio_byte"))
		feature_byte(k, w);
	else if (!strcasecmp(name, "random_read_corrupt"))
		feature_random(&k->random_reads, w, name);
	else if (!strcasecmp(name, "random_write_corrupt"))
		feature_random(&k->random_writes, w, name);
	else
		dm_args_fail(w->a, "word %u <feature>: '%.80s' is not a feature: error_reads, drop_writes, error_writes, "
			     "corrupt_bio_byte, random_read_corrupt or random_write_corrupt", w->a->word, name);
}

#define FLAKEY_WORDS 11u	/* of features, at most; as on Linux */

static void arg_features(struct flakey *k, struct dm_args *a)
{
	struct flakey_words w = { a, 0 };

	if (dm_args_left(a))
		w.left = dm_arg_number(a, "<#feature words>", 0, FLAKEY_WORDS);
	if (w.left > dm_args_left(a))
		dm_args_fail(a, "%llu feature words are announced, but there are %zu", (unsigned long long)w.left, dm_args_left(a));
	while (w.left && !dm_args_failed(a))
		arg_feature(k, &w);
	if (k->byte && k->of_writes && k->features & (DROP_WRITES | ERROR_WRITES))
		dm_args_fail(a, "corrupt_bio_byte with direction w needs writes that arrive, and %s leaves none",
			     k->features & DROP_WRITES ? "drop_writes" : "error_writes");
	if (!k->features && !flakey_changes_writes(k) && !flakey_changes_reads(k))
		k->features = ERROR_READS | ERROR_WRITES;
}

static void arg_intervals(struct flakey *k, struct dm_args *a)
{
	k->up = (uint32_t)dm_arg_number(a, "<up>", 0, UINT32_MAX);
	k->down = (uint32_t)dm_arg_number(a, "<down>", 0, UINT32_MAX);
	if (!dm_args_failed(a) && !k->up && !k->down)
		dm_args_fail(a, "<up> and <down> are both 0 seconds; one of them must be longer");
	if (k->down > UINT32_MAX - k->up)
		dm_args_fail(a, "<up> and <down> are %llu seconds together; %u are possible", (unsigned long long)k->up + k->down,
			     UINT32_MAX);
}

void flakey_arg_words(struct flakey *k, struct dm_args *a)
{
	arg_intervals(k, a);
	arg_features(k, a);
}
