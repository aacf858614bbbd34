/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a verity line, and what is reserved for it. What is accepted is what Linux 6.12 accepts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "core/kit/compute.h"
#include "targets/verity/verity.h"

#define CACHE_BYTES ((uint64_t)16 << 20)	/* of hash blocks in memory, at most; but at least 64 blocks */
#define OPTIONS_MOST 15u

/* --- the words ---------------------------------------------------------------------------------------------------------- */

/* Reads WORD, N bytes in hexadecimal digits and nothing else. */
static bool word_hex(const char *word, uint8_t *out, size_t n)
{
	return hex_read(word, out, n) == n && !word[2 * n];
}

static uint32_t word_block_size(struct dm_args *a, const char *name, uint32_t most)
{
	uint32_t size = (uint32_t)dm_arg_number(a, name, DM_SECTOR, most);

	if (size & (size - 1))
		dm_args_fail(a, "%s: %u is not a power of two", name, size);
	return size;
}

static void word_root(struct verity *v, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<root hash>");

	if (!dm_args_failed(a) && !word_hex(word, v->tree.root, v->tree.digest.size))
		dm_args_fail(a, "<root hash> is not a digest of this algorithm, which has %u hexadecimal digits", 2 * v->tree.digest.size);
}

static void word_salt(struct verity *v, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<salt>");
	size_t len = strlen(word);

	if (dm_args_failed(a) || !strcmp(word, "-"))
		return;
	if (len > 2 * TREE_SALT_MOST)
		dm_args_fail(a, "<salt> has %zu digits: at most %u are possible", len, 2 * TREE_SALT_MOST);
	else if (len % 2 || !word_hex(word, v->tree.salt, len / 2))
		dm_args_fail(a, "<salt> is neither an even number of hexadecimal digits, nor '-' for none");
	v->tree.salt_len = (uint32_t)(len / 2);
}

/* Only one of each pair of what happens to a corrupt block, and to one that cannot be read. */
static bool option_mode(struct dm_args *a, const char *word, const char *name, enum verity_mode *mode, enum verity_mode to)
{
	if (strcasecmp(word, name))
		return false;
	if (*mode != VERITY_FAIL)
		dm_args_fail(a, "'%s' after another option that says the same thing or the opposite", name);
	*mode = to;
	return true;
}

static bool option_flag(const char *word, const char *name, bool *flag)
{
	if (strcasecmp(word, name))
		return false;
	*flag = true;
	return true;
}

/* An option with a value; *N counts the words that are left of those that the line has promised. */
static bool option_value(struct dm_args *a, const char *word, const char *name, uint64_t *n)
{
	if (strcasecmp(word, name))
		return false;
	if (!*n)
		dm_args_fail(a, "'%s' is the last option, and has no value", name);
	else
		--*n;
	return true;
}

static bool option_fec(struct verity *v, struct dm_args *a, const char *word, uint64_t *n)
{
	struct fec *f = &v->fec;

	if (option_value(a, word, "use_fec_from_device", n))
		f->at = dm_arg_device(a, "use_fec_from_device", DM_WHOLE);
	else if (option_value(a, word, "fec_blocks", n))
		f->blocks = dm_arg_number(a, "fec_blocks", 0, UINT64_MAX / v->block_size);
	else if (option_value(a, word, "fec_start", n))
		f->start = dm_arg_number(a, "fec_start", 0, UINT64_MAX / v->block_size);
	else if (option_value(a, word, "fec_roots", n))
		f->roots = (uint32_t)dm_arg_number(a, "fec_roots", FEC_ROOTS_LEAST, FEC_ROOTS_MOST);
	else
		return false;
	return true;
}

static void word_option(struct verity *v, struct dm_args *a, uint64_t *n)
{
	const char *word = dm_arg_word(a, "<option>");

	--*n;
	if (dm_args_failed(a) || option_mode(a, word, "ignore_corruption", &v->corrupt, VERITY_IGNORE) ||
	    option_mode(a, word, "restart_on_corruption", &v->corrupt, VERITY_RESTART) ||
	    option_mode(a, word, "panic_on_corruption", &v->corrupt, VERITY_PANIC) ||
	    option_mode(a, word, "restart_on_error", &v->failed, VERITY_RESTART) ||
	    option_mode(a, word, "panic_on_error", &v->failed, VERITY_PANIC) ||
	    option_flag(word, "ignore_zero_blocks", &v->ignore_zeroes) || option_flag(word, "check_at_most_once", &v->once) ||
	    option_flag(word, "try_verify_in_tasklet", &v->tasklet) || option_fec(v, a, word, n))
		return;
	if (!strcasecmp(word, "root_hash_sig_key_desc"))
		dm_args_fail(a, "signatures of root hashes are not checked here: 'root_hash_sig_key_desc' names a key in the kernel's "
			     "keyring, which has no keys for this program; check the signature first, and leave the option out");
	else
		dm_args_fail(a, "there is no option '%.60s'", word);
}

static void word_options(struct verity *v, struct dm_args *a)
{
	uint64_t n;

	if (!dm_args_left(a))
		return;
	for (n = dm_arg_number(a, "<number>", 0, OPTIONS_MOST); n && !dm_args_failed(a);)
		word_option(v, a, &n);
}

static void words_read(struct verity *v, struct dm_target *t, struct dm_args *a, uint64_t *hash_start)
{
	struct err e = ERR_INIT;
	const char *name;

	v->tree.version = (uint32_t)dm_arg_number(a, "<version>", 0, 1);
	v->data = dm_arg_device(a, "<device>", t->len);
	v->hashes = dm_arg_device(a, "<hash device>", DM_WHOLE);
	v->block_size = word_block_size(a, "<data block size>", VERITY_BLOCK_MOST);
	v->tree.block_size = word_block_size(a, "<hash block size>", VERITY_HASH_BLOCK_MOST);
	v->tree.data_blocks = dm_arg_number(a, "<data blocks>", 1, UINT64_MAX / VERITY_BLOCK_MOST);
	*hash_start = dm_arg_number(a, "<hash start>", 0, UINT64_MAX / VERITY_HASH_BLOCK_MOST);
	name = dm_arg_word(a, "<algorithm>");
	if (!dm_args_failed(a) && digest_find(&v->tree.digest, name, &e))
		dm_args_fail(a, "<algorithm>: %s", e.text);
	v->algorithm = dm_args_alloc(a, strlen(name) + 1);
	if (v->algorithm)
		strcpy(v->algorithm, name);
	word_root(v, a);
	word_salt(v, a);
	word_options(v, a);
}

/* --- do they fit? ------------------------------------------------------------------------------------------------------- */

static void check_line(const struct verity *v, const struct dm_target *t, struct dm_args *a)
{
	uint64_t sectors = v->block_size / DM_SECTOR;

	if (dm_args_failed(a))
		return;
	if (!dm_args_readonly(a))
		dm_args_fail(a, "the table must be read-only (dmsetup create --readonly), as the device is");
	else if (t->len % sectors || t->len / sectors > v->tree.data_blocks)
		dm_args_fail(a, "%llu sectors are not a number of data blocks of %u bytes, at most %llu", (unsigned long long)t->len,
			     v->block_size, (unsigned long long)v->tree.data_blocks);
}

static void check_block_size(struct dm_args *a, const char *which, uint32_t size, const struct dm_at *at)
{
	if (size < at->store->limits.logical)
		dm_args_fail(a, "<%s block size>: '%.200s' has blocks of %u bytes", which, at->store->name, at->store->limits.logical);
}

static void check_room(struct dm_args *a, const struct dm_at *at, uint64_t blocks, uint32_t size, const char *what)
{
	uint64_t there = at->store->sectors / (size / DM_SECTOR);

	if (blocks > there)
		dm_args_fail(a, "%s would end with block %llu: '%.200s' has %llu blocks of %u bytes", what, (unsigned long long)blocks - 1,
			     at->store->name, (unsigned long long)there, size);
}

static void check_fec(struct verity *v, struct dm_args *a)
{
	struct fec *f = &v->fec;
	uint64_t tree = v->tree.end - v->tree.start;

	if (dm_args_failed(a) || !f->at.store)
		return;
	f->block_size = v->block_size;
	if (v->tree.block_size != v->block_size)
		dm_args_fail(a, "forward error correction takes data blocks and hash blocks of one size");
	else if (!f->roots)
		dm_args_fail(a, "use_fec_from_device takes fec_roots as well");
	else if (f->blocks < v->tree.data_blocks + tree)
		dm_args_fail(a, "fec_blocks is %llu, less than %llu data blocks and %llu hash blocks", (unsigned long long)f->blocks,
			     (unsigned long long)v->tree.data_blocks, (unsigned long long)tree);
	if (dm_args_failed(a))
		return;
	f->rounds = (f->blocks + fec_symbols(f) - 1) / fec_symbols(f);
	if (!dm_args_may_reserve(a))
		return;
	check_block_size(a, "data", v->block_size, &f->at);
	check_room(a, &v->hashes, f->blocks - v->tree.data_blocks, v->block_size, "the hash blocks of fec_blocks");
	check_room(a, &f->at, f->start + f->rounds * f->roots, v->block_size, "the parity");
}

static void check_stores(const struct verity *v, struct dm_args *a)
{
	if (!dm_args_may_reserve(a))
		return;
	check_block_size(a, "data", v->block_size, &v->data);
	check_block_size(a, "hash", v->tree.block_size, &v->hashes);
	check_room(a, &v->hashes, v->tree.end, v->tree.block_size, "the hash tree");
}

/* --- what is reserved --------------------------------------------------------------------------------------------------- */

static int reserve_memory(struct verity *v, struct err *e)
{
	uint64_t bits = (v->tree.data_blocks + 63) / 64;

	v->spare = aligned_alloc(4096, v->tree.block_size > 4096 ? v->tree.block_size : 4096);
	v->checked = v->once ? calloc(bits, sizeof(*v->checked)) : NULL;
	if (!v->spare || (v->once && !v->checked))
		return err_set(e, -ENOMEM, "no memory for a verity device of %llu blocks", (unsigned long long)v->tree.data_blocks);
	return 0;
}

static uint64_t cache_blocks(const struct verity *v)
{
	uint64_t most = CACHE_BYTES / v->tree.block_size, tree = v->tree.end - v->tree.start;

	most = most < 64 ? 64 : most;
	return tree < most ? tree + 1 : most;
}

static int verity_reserve(struct verity *v, struct dm_args *a)
{
	static const uint8_t zeros[VERITY_BLOCK_MOST];
	struct dm_world *w = dm_args_world(a);
	int err = reserve_memory(v, a->err);

	tree_digest(&v->tree, v->zero_digest, zeros, v->block_size);
	if (!err)
		err = hashes_new(&v->cache, cache_blocks(v), v->tree.block_size, a->err);
	if (!err)
		err = clerk_new(&v->clerk, w, v, a->err);
	if (!err)
		err = dm_compute_begin(w, a->err);
	if (!err && v->fec.at.store)
		err = fec_begin(&v->fec, a->err);
	if (!err)
		err = verity_reads_new(v, a->err);
	return err;
}

int verity_words(struct dm_target *t, struct dm_args *a)
{
	struct verity *v = t->priv;
	struct err e = ERR_INIT;
	uint64_t hash_start;

	words_read(v, t, a, &hash_start);
	check_line(v, t, a);
	if (!dm_args_failed(a) && tree_shape(&v->tree, hash_start, &e))
		dm_args_fail(a, "%s", e.text);
	if (dm_args_failed(a))
		return dm_args_rest_ignored(a);
	check_fec(v, a);
	check_stores(v, a);
	t->chunk = verity_read_blocks(v) * (v->block_size / DM_SECTOR);
	if (!dm_args_may_reserve(a))
		return dm_args_rest_ignored(a);
	return verity_reserve(v, a);
}

/* --- the line, printed -------------------------------------------------------------------------------------------------- */

static void print_options(const struct verity *v, struct text *out)
{
	static const char *const corrupt[] = { "", " ignore_corruption", " restart_on_corruption", " panic_on_corruption" };
	static const char *const failed[] = { "", "", " restart_on_error", " panic_on_error" };

	text_add(out, corrupt[v->corrupt]);
	text_add(out, failed[v->failed]);
	text_add(out, v->ignore_zeroes ? " ignore_zero_blocks" : "");
	text_add(out, v->once ? " check_at_most_once" : "");
	text_add(out, v->tasklet ? " try_verify_in_tasklet" : "");
	if (!v->fec.at.store)
		return;
	text_add(out, " use_fec_from_device ");
	dm_text_store(out, v->fec.at.store);
	text_printf(out, " fec_blocks %llu fec_start %llu fec_roots %u", (unsigned long long)v->fec.blocks,
		    (unsigned long long)v->fec.start, v->fec.roots);
}

static unsigned count_options(const struct verity *v)
{
	return (v->corrupt != VERITY_FAIL) + (v->failed != VERITY_FAIL) + v->ignore_zeroes + v->once + v->tasklet +
	       (v->fec.at.store ? 8u : 0);
}

static void print_salt(const struct verity *v, struct text *out)
{
	hex_add(out, v->tree.salt, v->tree.salt_len);
	if (!v->tree.salt_len)
		text_add(out, "-");
}

void verity_measure(const struct dm_target *t, struct text *out)
{
	static const char *const modes[] = { "", ",verity_mode=ignore_corruption", ",verity_mode=restart_on_corruption",
					     ",verity_mode=panic_on_corruption" };
	const struct verity *v = t->priv;

	text_printf(out, ",hash_failed=%c,verity_version=%u,data_device_name=", atomic_load(&v->is_corrupt) ? 'C' : 'V', v->tree.version);
	dm_text_store(out, v->data.store);
	text_add(out, ",hash_device_name=");
	dm_text_store(out, v->hashes.store);
	text_printf(out, ",verity_algorithm=%s,root_digest=", v->algorithm);
	hex_add(out, v->tree.root, v->tree.digest.size);
	text_add(out, ",salt=");
	print_salt(v, out);
	text_printf(out, ",ignore_zero_blocks=%c,check_at_most_once=%c%s;", v->ignore_zeroes ? 'y' : 'n', v->once ? 'y' : 'n',
		    modes[v->corrupt]);
}

void verity_table(const struct dm_target *t, struct text *out)
{
	const struct verity *v = t->priv;

	text_printf(out, "%u ", v->tree.version);
	dm_text_store(out, v->data.store);
	text_add(out, " ");
	dm_text_store(out, v->hashes.store);
	text_printf(out, " %u %u %llu %llu %s ", v->block_size, v->tree.block_size, (unsigned long long)v->tree.data_blocks,
		    (unsigned long long)v->tree.start, v->algorithm);
	hex_add(out, v->tree.root, v->tree.digest.size);
	text_add(out, " ");
	print_salt(v, out);
	if (!count_options(v))
		return;
	text_printf(out, " %u", count_options(v));
	print_options(v, out);
}
