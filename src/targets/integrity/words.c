/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of an integrity line: <device> <start> <tag size> <mode> <#options> [<option>...]. Keys are in no other memory than
 * that of secret.h once they were read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/words.h"
#include "core/world.h"
#include "targets/integrity/integrity.h"

#define OPTIONS_MOST 18u		/* as on Linux */
#define JOURNAL_MOST 131072u		/* sectors, if the words do not say how many */
#define JOURNAL_SHARE 128u		/* of the device's sectors */
#define BUFFER_LOG2_MOST 22u

/* --- options -------------------------------------------------------------------------------------------------------------- */

/* "NAME:VALUE": VALUE, or NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) || word[n] != ':' ? NULL : word + n + 1;
}

static bool option_number(struct dm_args *a, const char *word, const char *name, uint32_t *out, uint64_t least, uint64_t most)
{
	const char *value = value_of(word, name);
	uint64_t n = least;

	if (!value)
		return false;
	if (words_u64(value, &n) || n < least || n > most)
		dm_args_fail(a, "word %u: '%.60s' is not from %llu to %llu", a->word, word, (unsigned long long)least, (unsigned long long)most);
	*out = (uint32_t)n;
	return true;
}

static bool option_numbers(struct integrity_words *w, struct dm_args *a, const char *word)
{
	uint32_t bytes = 0;

	if (option_number(a, word, "block_size", &bytes, DM_SECTOR, IFORMAT_BLOCK_MOST * DM_SECTOR)) {
		if (bytes & (bytes - 1))
			dm_args_fail(a, "word %u: '%.40s': blocks have 512, 1024, 2048 or 4096 bytes", a->word, word);
		w->block = bytes / DM_SECTOR ? bytes / DM_SECTOR : 1;
		return true;
	}
	if (option_number(a, word, "journal_sectors", &w->journal_sectors, 0, UINT32_MAX)) {
		w->journal_sectors = w->journal_sectors ? w->journal_sectors : 1;
		return true;
	}
	if (option_number(a, word, "sectors_per_bit", &bytes, 0, UINT32_MAX)) {
		w->log2_bit = bytes ? 31 - (unsigned)__builtin_clz(bytes) : 0;
		return true;
	}
	return option_number(a, word, "interleave_sectors", &w->interleave, 0, UINT32_MAX) ||
	       option_number(a, word, "buffer_sectors", &w->buffer_sectors, 0, UINT32_MAX) ||
	       option_number(a, word, "journal_watermark", &w->watermark, 0, 100) ||
	       option_number(a, word, "commit_time", &w->commit_ms, 0, UINT32_MAX) ||
	       option_number(a, word, "bitmap_flush_interval", &w->clear_ms, 0, UINT32_MAX);
}

static bool option_flag(const char *word, const char *name, bool *out)
{
	if (strcmp(word, name))
		return false;
	return *out = true;
}

/* What is before the colon of the key. */
static char *name_without_key(struct dm_args *a, const char *value)
{
	size_t n = strcspn(value, ":");
	char *name = dm_args_alloc(a, n + 1);

	if (name)
		memcpy(name, value, n);
	if (value[n])
		dm_args_secret(a);
	return name;
}

static bool option_hash(struct dm_args *a, const char *word, const char *option, struct ihash *h, char **name)
{
	const char *value = value_of(word, option);
	struct err e = ERR_INIT;

	if (!value)
		return false;
	*name = name_without_key(a, value);
	ihash_free(h);
	if (ihash_find(h, value, &e))
		dm_args_fail(a, "word %u: %s: %s", a->word, option, e.text);
	return true;
}

static bool option_cipher(struct integrity *it, struct dm_args *a, const char *word)
{
	const char *value = value_of(word, "journal_crypt");
	struct err e = ERR_INIT;

	if (!value)
		return false;
	it->words.crypt_name = name_without_key(a, value);
	seal_cipher_free(&it->cipher);
	if (seal_cipher_find(&it->cipher, value, &e))
		dm_args_fail(a, "word %u: journal_crypt: %s", a->word, e.text);
	return true;
}

static bool option_meta(struct integrity *it, struct dm_args *a, const char *word)
{
	const char *value = value_of(word, "meta_device");

	if (!value)
		return false;
	it->meta = dm_args_device(a, "meta_device", value, DM_WHOLE);
	return it->has_meta = true;
}

static void arg_option(struct integrity *it, struct dm_args *a)
{
	struct integrity_words *w = &it->words;
	const char *word = dm_arg_word(a, "<option>");

	if (dm_args_failed(a) || option_numbers(w, a, word) || option_flag(word, "recalculate", &w->recalculate) ||
	    option_flag(word, "reset_recalculate", &w->reset) || option_flag(word, "allow_discards", &w->discard) ||
	    option_flag(word, "fix_padding", &w->fix_padding) || option_flag(word, "fix_hmac", &w->fix_hmac) ||
	    option_flag(word, "legacy_recalculate", &w->legacy) || option_meta(it, a, word) || option_cipher(it, a, word) ||
	    option_hash(a, word, "internal_hash", &it->hash, &w->hash_name) || option_hash(a, word, "journal_mac", &it->mac, &w->mac_name))
		return;
	dm_args_fail(a, "word %u: there is no option '%.*s': journal_sectors:N, interleave_sectors:N, buffer_sectors:N, journal_watermark:PERCENT, "
			"commit_time:MS, sectors_per_bit:N, bitmap_flush_interval:MS, meta_device:DEVICE, block_size:BYTES, internal_hash:NAME[:KEY], "
			"journal_crypt:CIPHER:KEY, journal_mac:NAME:KEY, recalculate, reset_recalculate, allow_discards, fix_padding, fix_hmac and "
			"legacy_recalculate are known", a->word,
		     (int)strcspn(word, ":"), word);
}

static void arg_options(struct integrity *it, struct dm_args *a)
{
	uint64_t n = dm_arg_number(a, "<#options>", 0, OPTIONS_MOST);

	if (n > dm_args_left(a))
		dm_args_fail(a, "%llu options are announced, but there are %zu", (unsigned long long)n, dm_args_left(a));
	while (n-- && !dm_args_failed(a))
		arg_option(it, a);
}

/* --- the others ------------------------------------------------------------------------------------------------------------ */

static void arg_tag_size(struct integrity *it, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<tag size>");
	uint64_t n = 0;

	if (dm_args_failed(a) || !strcmp(word, "-"))
		return;
	if (words_u64(word, &n) || !n || n > IFORMAT_TAG_MOST)
		dm_args_fail(a, "word %u <tag size>: '%.40s' is neither from 1 to %u nor '-', which means as long as the digest", a->word, word,
			     IFORMAT_TAG_MOST);
	it->words.tag_size = (unsigned)n;
}

static void arg_mode(struct integrity *it, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<mode>");

	if (dm_args_failed(a))
		return;
	it->words.mode = word[0];
	if (!word[0] || word[1] || !strchr("JBDR", word[0]))
		dm_args_fail(a, "word %u <mode>: '%.20s' is not J (journal), B (bitmap), D (direct) or R (recovery)%s", a->word, word,
			     !strcmp(word, "I") ? "; for I (inline) a device would have to keep tags itself" : "");
}

static void check_words(struct integrity *it, const struct dm_target *t, struct dm_args *a)
{
	struct integrity_words *w = &it->words;

	if (dm_args_failed(a))
		return;
	if (!w->tag_size && !it->hash.kind)
		dm_args_fail(a, "the tag size is '-', so an internal_hash has to say how long tags are");
	else if (w->mode == 'B' && !it->hash.kind)
		dm_args_fail(a, "mode B takes an internal_hash, by which tags can be computed anew after a crash");
	else if (w->discard && !it->hash.kind)
		dm_args_fail(a, "allow_discards takes an internal_hash, by which blocks that were discarded are known");
	else if (w->block > 1 && (t->len % w->block || t->start % w->block))
		dm_args_fail(a, "a line with blocks of %u bytes begins and ends at a multiple of %u sectors", w->block * DM_SECTOR, w->block);
	w->recalculate |= w->reset;
	w->tag_size = w->tag_size ? w->tag_size : it->hash.size;
}

struct iformat integrity_devices(const struct integrity *it)
{
	uint32_t buffer = it->words.buffer_sectors;
	unsigned log2 = buffer ? 31 - (unsigned)__builtin_clz(buffer) : 0;

	return (struct iformat){ .meta = it->has_meta, .start = it->start, .data_sectors = it->data.store->sectors, .meta_sectors = it->meta.store->sectors,
				 .log2_buffer = (uint8_t)(log2 > BUFFER_LOG2_MOST ? BUFFER_LOG2_MOST : log2) };
}

static uint32_t journal_of_new(const struct integrity *it)
{
	uint64_t share = it->data.store->sectors / JOURNAL_SHARE;

	if (it->words.journal_sectors)
		return it->words.journal_sectors;
	return share < JOURNAL_MOST ? (uint32_t)share : JOURNAL_MOST;
}

struct iformat_new integrity_new(const struct integrity *it)
{
	const struct integrity_words *w = &it->words;

	return (struct iformat_new){ .block = w->block, .tag_size = w->tag_size, .journal_sectors = journal_of_new(it), .interleave = w->interleave,
				     .mac = it->mac.kind, .fix_padding = w->fix_padding, .fix_hmac = w->fix_hmac && (it->hash.kind || it->mac.kind) };
}

/* For `table`, until it is known what the device is. */
static void foresee(struct integrity *it)
{
	struct iformat_new n = integrity_new(it);

	it->f = integrity_devices(it);
	if (!iformat_make(&it->f, &it->sb, &n, NULL))
		(void)iformat_place(&it->f, &it->sb);
}

static int reserve_all(struct integrity *it, struct dm_args *a)
{
	struct dm_world *w = dm_args_world(a);
	int err = clerk_new(&it->clerk, w, it, a->err);

	if (!err)
		err = dm_compute_begin(w, a->err);
	if (!err)
		err = tags_new(&it->tags, integrity_tags_are_full, it, a->err);
	if (!err)
		err = ranges_new(&it->ranges, a->err);
	if (!err && it->hash.kind)
		err = ihash_open(&it->hash, w->n_io, w->n_io + 1, a->err);
	if (!err && it->words.mode == 'B')
		err = epoch_new(&it->epoch, w, a->err);
	if (!err && it->mac.kind)
		err = ihash_open(&it->mac, 0, 1, a->err);
	if (!err)
		err = integrity_requests_new(it, a->err);
	if (err)
		return err;
	it->sector = aligned_alloc(4096, 4096);
	it->recalc.data = aligned_alloc(4096, INTEGRITY_CUT * DM_SECTOR);
	it->recalc.tags = malloc(INTEGRITY_TAG_BYTES);
	return it->sector && it->recalc.data && it->recalc.tags ? 0 : err_set(a->err, -ENOMEM, "no memory for a superblock");
}

int integrity_words_read(struct dm_target *t, struct dm_args *a)
{
	struct integrity *it = t->priv;

	it->words = (struct integrity_words){ .block = 1, .interleave = 32768, .buffer_sectors = 128, .watermark = 50, .commit_ms = 10000,
						.clear_ms = 10000, .log2_bit = 15 };
	atomic_store(&it->recalc_at, UINT64_MAX);
	it->world = dm_args_world(a);
	pthread_mutex_init(&it->lock, NULL);
	integrity_sync_init(it);
	it->data = dm_arg_device(a, "<device>", DM_WHOLE);
	it->start = dm_arg_sectors(a, "<start>", 0, INT64_MAX);
	arg_tag_size(it, a);
	arg_mode(it, a);
	arg_options(it, a);
	check_words(it, t, a);
	if (!it->has_meta)
		it->meta = it->data;
	it->meta.offset = it->start;
	if (!dm_args_may_reserve(a))
		return dm_args_rest_ignored(a);
	foresee(it);
	return reserve_all(it, a) ? a->err->code : dm_args_rest_ignored(a);
}

/* --- the line, printed ------------------------------------------------------------------------------------------------------ */

static void print_named(struct text *out, const char *option, const char *name, const uint8_t *key, unsigned key_size)
{
	if (!name)
		return;
	text_printf(out, " %s:%s%s", option, name, key_size ? ":" : "");
	hex_add(out, key, key_size);
}

/* journal_mark as Linux computes it back from the number of entries. */
static unsigned print_watermark(const struct iformat *f, unsigned watermark)
{
	uint64_t low = (f->entries * (100 - watermark) + 50) / 100;

	return f->entries ? (unsigned)(((f->entries - low) * 100 + f->entries / 2) / f->entries) : watermark;
}

static unsigned count_options(const struct integrity *it, const struct iformat_sb *sb)
{
	const struct integrity_words *w = &it->words;

	return 3u + it->has_meta + (w->block > 1) + !!(sb->flags & IFORMAT_RECALCULATING) + w->reset + w->discard + (w->mode == 'J' || w->mode == 'B' ? 2u : 0) + !!w->hash_name +
	       !!w->crypt_name + !!w->mac_name + !!(sb->flags & IFORMAT_FIXED_PADDING) + !!(sb->flags & IFORMAT_FIXED_HMAC) + w->legacy;
}

static void print_options(const struct integrity *it, const struct iformat *f, const struct iformat_sb *sb, struct text *out)
{
	const struct integrity_words *w = &it->words;

	if (it->has_meta) {
		text_add(out, " meta_device:");
		dm_text_store(out, it->meta.store);
	}
	if (w->block > 1)
		text_printf(out, " block_size:%u", w->block * DM_SECTOR);
	text_add(out, sb->flags & IFORMAT_RECALCULATING ? " recalculate" : "");
	text_add(out, w->reset ? " reset_recalculate" : "");
	text_add(out, w->discard ? " allow_discards" : "");
	text_printf(out, " journal_sectors:%llu interleave_sectors:%u buffer_sectors:%u", (unsigned long long)f->initial - IFORMAT_SB_SECTORS,
		    1u << f->log2_interleave, 1u << f->log2_buffer);
	if (w->mode == 'J')
		text_printf(out, " journal_watermark:%u commit_time:%u", print_watermark(f, w->watermark), w->commit_ms);
	if (w->mode == 'B')
		text_printf(out, " sectors_per_bit:%llu bitmap_flush_interval:%u", (unsigned long long)f->block << iformat_bits(f, w->log2_bit), w->clear_ms);
	text_add(out, sb->flags & IFORMAT_FIXED_PADDING ? " fix_padding" : "");
	text_add(out, sb->flags & IFORMAT_FIXED_HMAC ? " fix_hmac" : "");
	text_add(out, w->legacy ? " legacy_recalculate" : "");
	print_named(out, "internal_hash", w->hash_name, it->hash.key, it->hash.key_size);
	print_named(out, "journal_crypt", w->crypt_name, it->cipher.key, it->cipher.key_size);
	print_named(out, "journal_mac", w->mac_name, it->mac.key, it->mac.key_size);
}

static void look(const struct dm_target *t, struct iformat *f, struct iformat_sb *sb)
{
	struct integrity *it = t->priv;

	pthread_mutex_lock(&it->lock);
	*f = it->f;
	*sb = it->sb;
	pthread_mutex_unlock(&it->lock);
}

void integrity_table(const struct dm_target *t, struct text *out)
{
	const struct integrity *it = t->priv;
	struct iformat_sb sb;
	struct iformat f;

	look(t, &f, &sb);
	dm_text_store(out, it->data.store);
	text_printf(out, " %llu %u %c %u", (unsigned long long)it->start, it->words.tag_size, it->words.mode, count_options(it, &sb));
	print_options(it, &f, &sb, out);
}

void integrity_status(const struct dm_target *t, struct text *out)
{
	const struct integrity *it = t->priv;
	struct iformat_sb sb;
	struct iformat f;

	look(t, &f, &sb);
	text_printf(out, "%llu %llu ", (unsigned long long)atomic_load(&it->mismatches), (unsigned long long)f.provided);
	if (sb.flags & IFORMAT_RECALCULATING)
		text_printf(out, "%llu", (unsigned long long)sb.recalc);
	else
		text_add(out, "-");
}

void integrity_measure(const struct dm_target *t, struct text *out)
{
	const struct integrity *it = t->priv;
	struct iformat_sb sb;
	struct iformat f;

	look(t, &f, &sb);
	text_add(out, ",dev_name=");
	dm_text_store(out, it->data.store);
	text_printf(out, ",start=%llu,tag_size=%u,mode=%c", (unsigned long long)it->start, it->words.tag_size, it->words.mode);
	if (it->has_meta) {
		text_add(out, ",meta_device=");
		dm_text_store(out, it->meta.store);
	}
	if (it->words.block > 1)
		text_printf(out, ",block_size=%u", it->words.block * DM_SECTOR);
	text_printf(out, ",recalculate=%c,allow_discards=%c,fix_padding=%c,fix_hmac=%c,legacy_recalculate=%c",
		    sb.flags & IFORMAT_RECALCULATING ? 'y' : 'n', it->words.discard ? 'y' : 'n', sb.flags & IFORMAT_FIXED_PADDING ? 'y' : 'n',
		    sb.flags & IFORMAT_FIXED_HMAC ? 'y' : 'n', it->words.legacy ? 'y' : 'n');
	text_printf(out, ",journal_sectors=%llu,interleave_sectors=%u,buffer_sectors=%u;", (unsigned long long)f.initial - IFORMAT_SB_SECTORS,
		    1u << f.log2_interleave, 1u << f.log2_buffer);
}
