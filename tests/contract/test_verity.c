/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verity on the sample's image (samples/verity.c): whatever bit changes, a read gets what was there when the tree was made, or fails;
 * with parity, made here by an encoder that knows nothing of src/targets/verity, it is corrected.
 */
#include <errno.h>
#include <fec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/digest.h"
#include "contract/sample.h"

#define BLOCK 512u
#define TREE_BLOCKS 65u
#define AREA ((SAMPLE_SECTORS + TREE_BLOCKS) * BLOCK)
#define ROUNDS(roots) ((SAMPLE_SECTORS + TREE_BLOCKS + 254u - (roots)) / (255u - (roots)))

extern const struct sample sample_verity;

static struct fixture f;
static struct dm_device *d;
static uint8_t right[SAMPLE_SECTORS * BLOCK], seen[SAMPLE_SECTORS * BLOCK];
static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void format(void)
{
	disk_reset();
	sample_verity.format();
	sample_verity.content(right);
}

/* The parity of the data and the tree, on disk 2. */
static void format_parity(unsigned roots)
{
	void *code = init_rs_char(8, 0x11d, 0, 1, (int)roots, 0);
	unsigned codes = ROUNDS(roots) * BLOCK, i, j, at;
	uint8_t symbols[255], *area = malloc(AREA);

	assert_non_null(area);
	memcpy(area, disk_bytes(0), SAMPLE_SECTORS * BLOCK);
	memcpy(area + SAMPLE_SECTORS * BLOCK, disk_bytes(1), TREE_BLOCKS * BLOCK);
	for (i = 0; i < codes; i++) {
		for (j = 0; j < 255 - roots; j++) {
			at = i + j * codes;
			symbols[j] = at < AREA ? area[at] : 0;
		}
		encode_rs_char(code, symbols, disk_bytes(2) + (size_t)i * roots);
	}
	free_rs_char(code);
	free(area);
}

/* The line of the sample with OPTIONS. */
static void load(const char *options)
{
	char line[1024], why[ERR_TEXT];

	sample_world(&f, &sample_verity);
	snprintf(line, sizeof(line), "0 %u verity %s %s", SAMPLE_SECTORS, sample_verity.words, options);
	if (sample_create(&f, &sample_verity, "v", line, why))
		fail_msg("%s: %s", why, line);
	d = dm_find_name(f.world, "v");
	dm_open(d);
}

static void unload(void)
{
	dm_close(d);
	fixture_end(&f);
}

static int read_blocks(unsigned first, unsigned n)
{
	return request(&f, d, next_random(2), DM_READ, 0, first, n, seen + first * BLOCK);
}

static bool block_is_right(unsigned i)
{
	return !memcmp(seen + i * BLOCK, right + i * BLOCK, BLOCK);
}

static char status(void)
{
	char *row = rows(&f, DM_DO_STATUS, "v", 0), letter = row[strlen(row) - 2];

	free(row);
	return letter;
}

/* Reads each block; returns how many of them fail. What does not fail must be right. */
static unsigned read_each(void)
{
	unsigned i, failed = 0;

	for (i = 0; i < SAMPLE_SECTORS; i++) {
		if (read_blocks(i, 1))
			failed++;
		else if (!block_is_right(i))
			fail_msg("block %u is wrong, and the read did not fail", i);
	}
	return failed;
}

/* BIT of the data and the tree. */
static void flip(unsigned bit)
{
	uint8_t *at = bit / 8 < SAMPLE_SECTORS * BLOCK ? disk_bytes(0) + bit / 8 : disk_bytes(1) + bit / 8 - SAMPLE_SECTORS * BLOCK;

	*at ^= (uint8_t)(1u << bit % 8);
}

/* How many data blocks cannot be verified if this block of the area is wrong. */
static unsigned below(unsigned block)
{
	if (block < SAMPLE_SECTORS)
		return 1;
	block -= SAMPLE_SECTORS;
	return block == 0 ? SAMPLE_SECTORS : block < 4 ? 256 : block == 4 ? SAMPLE_SECTORS - 3 * 256 : 16;
}

/* Digests fill the blocks of this tree, except for the ends of its two upper levels. */
static bool is_padding(unsigned byte)
{
	unsigned tree = byte - SAMPLE_SECTORS * BLOCK;

	return byte >= SAMPLE_SECTORS * BLOCK && ((tree >= 4 * 32 && tree < BLOCK) || (tree >= 4 * BLOCK + 12 * 32 && tree < 5 * BLOCK));
}

static void a_changed_bit_is_never_read(void **state)
{
	unsigned i, bit;

	(void)state;
	for (i = 0; i < 120; i++) {
		format();
		bit = i % 2 ? next_random(AREA * 8) : SAMPLE_SECTORS * BLOCK * 8 + next_random(TREE_BLOCKS * BLOCK * 8);
		flip(bit);
		load("");
		assert_int_equal(read_each(), below(bit / 8 / BLOCK));
		assert_int_equal(status(), 'C');
		unload();
	}
}

/* --- each version, hash and size of blocks -------------------------------------------------------------------------------- */

static const struct way {
	const char *hash;
	unsigned version, data, tree;	/* the last two: bytes of a block */
	const char *options;
} ways[] = {
	{ "sha256", 0, 512, 512, "" }, { "sha1", 1, 512, 512, "" }, { "sha1", 0, 512, 1024, "" }, { "sha512", 1, 512, 1024, "" },
	{ "sha256", 1, 4096, 4096, "" }, { "sha384", 0, 4096, 512, "" }, { "rmd160", 1, 1024, 512, "" }, { "blake2b-256", 1, 4096, 4096, "" },
	{ "sha256", 1, 512, 512, "1 check_at_most_once" }, { "sha256", 0, 4096, 4096, "2 ignore_zero_blocks check_at_most_once" },
};

/* The digests of N blocks of SIZE bytes, in blocks of the tree at OUT; returns how many these are. */
static unsigned way_level(const struct way *w, const struct digest *h, const uint8_t *blocks, unsigned n, unsigned size, uint8_t *out)
{
	static const uint8_t salt[] = { 0xab, 0xcd };
	unsigned room = 1, fan = 1, i;

	while (room < h->size)
		room *= 2;
	while (fan * room < w->tree)
		fan *= 2;
	for (i = 0; i < n; i++) {
		struct digest_part data = { blocks + (size_t)i * size, size }, salts = { salt, sizeof(salt) };
		struct digest_part parts[2] = { w->version ? salts : data, w->version ? data : salts };

		digest_of(h, out + (size_t)i / fan * w->tree + i % fan * (w->version ? room : h->size), parts, 2);
	}
	return (n + fan - 1) / fan;
}

/* The levels of the tree one by one, which lie on disk 1 in the other order. Returns its blocks. */
static unsigned way_format(const struct way *w, const struct digest *h, uint8_t *root)
{
	static uint8_t levels[8][256 << 10];
	unsigned n[8], depth = 0, total = 0, blocks = SAMPLE_SECTORS * BLOCK / w->data;

	memset(levels, 0, sizeof(levels));
	format();
	memset(disk_bytes(1), 0, sizeof(levels[0]));
	n[0] = way_level(w, h, disk_bytes(0), blocks, w->data, levels[0]);
	while (n[depth] > 1) {
		n[depth + 1] = way_level(w, h, levels[depth], n[depth], w->tree, levels[depth + 1]);
		depth++;
	}
	way_level(w, h, levels[depth], 1, w->tree, root);
	for (depth++; depth-- > 0; total += n[depth])
		memcpy(disk_bytes(1) + (size_t)total * w->tree, levels[depth], (size_t)n[depth] * w->tree);
	return total;
}

static void way_load(const struct way *w, const struct digest *h, const uint8_t *root)
{
	char line[1024], why[ERR_TEXT];
	unsigned at, i;

	sample_world(&f, &sample_verity);
	at = (unsigned)snprintf(line, sizeof(line), "0 %u verity %u disk:0 disk:1 %u %u %u 0 %s ", SAMPLE_SECTORS, w->version, w->data, w->tree,
				SAMPLE_SECTORS * BLOCK / w->data, w->hash);
	for (i = 0; i < h->size; i++)
		at += (unsigned)snprintf(line + at, sizeof(line) - at, "%02x", root[i]);
	snprintf(line + at, sizeof(line) - at, " abcd %s", w->options);
	if (sample_create(&f, &sample_verity, "v", line, why))
		fail_msg("%s: %s", why, line);
	d = dm_find_name(f.world, "v");
	dm_open(d);
}

static unsigned way_read(const struct way *w)
{
	unsigned i, k, n = w->data / BLOCK, failed = 0;

	for (i = 0; i < SAMPLE_SECTORS; i += n) {
		failed += read_blocks(i, n) != 0;
		for (k = 0; !failed && k < n; k++)
			assert_true(block_is_right(i + k));
	}
	return failed;
}

static void so_it_is_with_each_hash(void **state)
{
	const struct way *w;
	uint8_t root[4096], *at;
	struct digest h;
	struct err e;
	unsigned i, total;

	(void)state;
	for (w = ways; w < ways + sizeof(ways) / sizeof(*ways); w++) {
		assert_int_equal(digest_find(&h, w->hash, &e), 0);
		total = way_format(w, &h, root);
		way_load(w, &h, root);
		assert_int_equal(way_read(w), 0);
		unload();
		for (i = 0; i < 12; i++) {
			at = i % 2 ? disk_bytes(1) + next_random(total * w->tree) : disk_bytes(0) + next_random(SAMPLE_SECTORS * BLOCK);
			*at ^= (uint8_t)(1u << i % 8);
			way_load(w, &h, root);
			if (!way_read(w))
				fail_msg("%s: version %u: nobody notices a bit of %s", w->hash, w->version, i % 2 ? "the tree" : "the data");
			unload();
			*at ^= (uint8_t)(1u << i % 8);
		}
	}
}

static void even_the_padding_of_hash_blocks_counts(void **state)
{
	unsigned byte;

	(void)state;
	for (byte = SAMPLE_SECTORS * BLOCK; byte < AREA && !is_padding(byte); byte++)
		;
	format();
	flip(byte * 8);
	load("");
	assert_int_equal(read_each(), SAMPLE_SECTORS);
	unload();
}

static void long_reads_fail_as_a_whole(void **state)
{
	unsigned i, first, n;

	(void)state;
	format();
	flip(500 * BLOCK * 8 + 5);
	load("");
	for (i = 0; i < 200; i++) {
		first = next_random(SAMPLE_SECTORS);
		n = 1 + next_random(SAMPLE_SECTORS - first);
		assert_int_equal(read_blocks(first, n), first <= 500 && first + n > 500 ? -EIO : 0);
	}
	unload();
}

static void parity_corrects_any_bit(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 60; i++) {
		format();
		format_parity(2);
		flip(next_random(AREA * 8));
		load("8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 2");
		assert_int_equal(read_each(), 0);
		assert_int_equal(status(), 'V');
		unload();
	}
}

/* Bits of the data, the tree and the parity: what is read is right, or the read fails. One bit in all is always corrected. */
static void wrong_parity_gives_no_wrong_data(void **state)
{
	unsigned i, n, roots, at, failed, codes;

	(void)state;
	for (i = 0; i < 80; i++) {
		roots = i % 2 ? 8 : 2;
		codes = ROUNDS(roots) * BLOCK;
		format();
		format_parity(roots);
		for (n = i % 8; n; n--)
			disk_bytes(2)[next_random(codes * roots)] ^= (uint8_t)(1u << next_random(8));
		for (n = 1 + i % 3; n; n--) {
			at = next_random(AREA);
			flip(at * 8 + next_random(8));
			disk_bytes(2)[at % codes * roots + next_random(roots)] ^= (uint8_t)(i % 4 == 3);	/* of the same code */
		}
		load(roots == 2 ? "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 2"
				: "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 8");
		failed = read_each();
		assert_true(failed == 0 || i % 8 || i % 3);
		unload();
	}
}

/* Whole blocks of one code, one more than can be corrected without knowing which they are; with digests it is known. */
static void parity_corrects_as_many_blocks_as_it_has_roots(void **state)
{
	unsigned roots, i;

	(void)state;
	for (roots = 2; roots <= 8; roots += 6) {
		format();
		format_parity(roots);
		for (i = 0; i < roots; i++)
			memset(disk_bytes(0) + (3 + i * ROUNDS(roots)) * BLOCK, 0x99, BLOCK);
		load(roots == 2 ? "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 2"
				: "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 8");
		assert_int_equal(read_each(), 0);
		unload();
		memset(disk_bytes(0) + (3 + i * ROUNDS(roots)) * BLOCK, 0x99, BLOCK);
		load(roots == 2 ? "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 2"
				: "8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 8");
		assert_int_equal(read_each(), roots + 1);
		assert_int_equal(status(), 'C');
		unload();
	}
}

/*
 * Two wrong blocks of one code take two symbols of parity if it is known which they are. The hash block that tells of the second one
 * is wrong, too, and is corrected for that.
 */
static void a_hash_block_is_corrected_to_tell_what_is_wrong(void **state)
{
	const unsigned rounds = ROUNDS(2), other = 3 + rounds * 8, hash = 5 + other / 16;

	(void)state;
	assert_int_not_equal((SAMPLE_SECTORS + hash) % rounds, 3 % rounds);
	format();
	format_parity(2);
	memset(disk_bytes(0) + 3 * BLOCK, 0x99, BLOCK);
	memset(disk_bytes(0) + other * BLOCK, 0x99, BLOCK);
	memset(disk_bytes(1) + hash * BLOCK, 0x99, BLOCK);
	load("8 use_fec_from_device disk:2 fec_blocks 1025 fec_start 0 fec_roots 2");
	assert_int_equal(read_blocks(3, 1), 0);
	assert_true(block_is_right(3));
	assert_int_equal(read_each(), 0);
	assert_int_equal(status(), 'V');
	unload();
}

/*
 * A block that no digest covers, because it is behind the tree, cannot be read; another one of the same code is wrong, beside the one
 * that is wanted. All three are known, so that three symbols of parity are enough.
 */
static void what_cannot_be_read_is_known_without_a_digest(void **state)
{
	const unsigned roots = 3, rounds = (SAMPLE_SECTORS + TREE_BLOCKS + 8 + 254 - roots) / (255 - roots), area = SAMPLE_SECTORS + TREE_BLOCKS + 8;
	unsigned codes = rounds * BLOCK, i, j, at, behind = SAMPLE_SECTORS + TREE_BLOCKS + 4;
	uint8_t symbols[255], *all = calloc(area, BLOCK);
	char line[1024];
	void *code = init_rs_char(8, 0x11d, 0, 1, (int)roots, 0);

	(void)state;
	assert_non_null(all);
	format();
	memset(disk_bytes(1) + TREE_BLOCKS * BLOCK, 0xb0, 8 * BLOCK);
	memcpy(all, disk_bytes(0), SAMPLE_SECTORS * BLOCK);
	memcpy(all + SAMPLE_SECTORS * BLOCK, disk_bytes(1), (TREE_BLOCKS + 8) * BLOCK);
	for (i = 0; i < codes; i++) {
		for (j = 0; j < 255 - roots; j++) {
			at = i + j * codes;
			symbols[j] = at < area * BLOCK ? all[at] : 0;
		}
		encode_rs_char(code, symbols, disk_bytes(2) + (size_t)i * roots);
	}
	free_rs_char(code);
	free(all);
	memset(disk_bytes(0) + behind % rounds * BLOCK, 0x99, BLOCK);
	memset(disk_bytes(0) + (behind % rounds + rounds) * BLOCK, 0x99, BLOCK);
	sample_world(&f, &sample_verity);
	snprintf(line, sizeof(line), "0 %u linear disk:1 0\n%u 4 error\n%u 4 linear disk:1 %u", TREE_BLOCKS + 4, TREE_BLOCKS + 4, TREE_BLOCKS + 8, TREE_BLOCKS + 8);
	make_device(&f, "tree", line);
	snprintf(line, sizeof(line), "0 %u verity 1 disk:0 device:tree 512 512 960 0 %s 8 use_fec_from_device disk:2 fec_blocks %u fec_start 0 fec_roots %u",
		 SAMPLE_SECTORS, strstr(sample_verity.words, "sha256"), area, roots);
	assert_int_equal(sample_create(&f, &sample_verity, "v", line, NULL), 0);
	d = dm_find_name(f.world, "v");
	dm_open(d);
	assert_int_equal(read_blocks(behind % rounds, 1), 0);
	assert_true(block_is_right(behind % rounds));
	unload();
}

/* The area of the correction may be said to be longer than the disk that has the tree. */
static void nothing_is_read_behind_the_hash_device(void **state)
{
	char line[1024];

	(void)state;
	format();
	memmove(disk_bytes(1) + 10 * BLOCK, disk_bytes(1), TREE_BLOCKS * BLOCK);
	memset(disk_bytes(0) + 3 * BLOCK, 0x99, BLOCK);
	sample_world(&f, &sample_verity);
	snprintf(line, sizeof(line), "0 %u verity 1 disk:0 disk:1 512 512 960 10 %s 8 use_fec_from_device disk:2 fec_blocks %u fec_start 0 fec_roots 2",
		 SAMPLE_SECTORS, strstr(sample_verity.words, "sha256"), SAMPLE_SECTORS + DISK_SECTORS);
	assert_int_equal(sample_create(&f, &sample_verity, "v", line, NULL), 0);
	d = dm_find_name(f.world, "v");
	dm_open(d);
	assert_int_equal(read_blocks(4, 1), 0);
	assert_int_equal(read_blocks(3, 1), -EIO);
	unload();
}

/* All of the tree is in memory by then: the disk that has it holds everything from then on. */
static void hash_blocks_are_read_once(void **state)
{
	(void)state;
	format();
	load("");
	assert_int_equal(read_each(), 0);
	disk_hold(1);
	assert_int_equal(read_each(), 0);
	assert_int_equal(read_blocks(0, SAMPLE_SECTORS), 0);
	assert_int_equal(disk_held(), 0);
	disk_let_go();
	unload();
}

static void many_wait_for_one_hash_block(void **state)
{
	static struct job jobs[48];
	static uint8_t data[48][BLOCK];
	unsigned i;

	(void)state;
	format();
	load("");
	disk_hold(1);
	for (i = 0; i < 48; i++)
		job_start(&f, &jobs[i], d, i % 2, DM_READ, 0, i % 16, 1, data[i]);
	while (!disk_held())
		settle_threads(&f);
	settle_threads(&f);
	assert_int_equal(disk_held(), 1);		/* the root's block, for all of them */
	disk_let_go();
	for (i = 0; i < 48; i++) {
		assert_int_equal(job_wait(&jobs[i]), 0);
		assert_memory_equal(data[i], right + i % 16 * BLOCK, BLOCK);
	}
	unload();
}

static void a_corrupt_block_ends_the_device(void **state)
{
	static const char *const options[] = { "1 restart_on_corruption", "1 panic_on_corruption" };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		format();
		flip(700 * BLOCK * 8);
		load(options[i]);
		assert_int_equal(read_blocks(0, 700), 0);
		assert_int_equal(info(&f, "v").event_nr, 0);
		assert_int_equal(read_blocks(690, 20), -EIO);
		assert_int_equal(info(&f, "v").event_nr, 1);
		assert_int_equal(read_blocks(0, 1), -EIO);
		assert_int_equal(status(), 'C');
		unload();
	}
}

static void what_is_wrong_can_be_let_through(void **state)
{
	(void)state;
	format();
	flip(700 * BLOCK * 8);
	load("1 ignore_corruption");
	assert_int_equal(read_blocks(0, SAMPLE_SECTORS), 0);
	assert_int_equal(seen[700 * BLOCK], right[700 * BLOCK] ^ 1);
	seen[700 * BLOCK] ^= 1;
	assert_memory_equal(seen, right, sizeof(seen));
	assert_int_equal(status(), 'C');
	unload();
}

/* A line with one word or character changed gets a sentence, or is loaded. */
static void changed_lines_get_a_sentence(void **state)
{
	char line[1024], why[ERR_TEXT];
	unsigned i, at;

	(void)state;
	format();
	load("");
	for (i = 0; i < 3000; i++) {
		snprintf(line, sizeof(line), "0 %u verity %s 10 ignore_zero_blocks check_at_most_once use_fec_from_device disk:2 "
			 "fec_blocks 1025 fec_start 0 fec_roots 2", SAMPLE_SECTORS, sample_verity.words);
		for (at = next_random(3) + 1; at; at--)
			line[13 + next_random((uint32_t)strlen(line) - 13)] = "0123456789 -xf"[next_random(14)];
		if (sample_reload(&f, &sample_verity, "v", line, why))
			assert_memory_equal(why, "table line 1: verity ", 21);
		else
			verb(&f, DM_DO_CLEAR, "v", 0, NULL);
	}
	assert_int_equal(read_blocks(0, SAMPLE_SECTORS), 0);
	unload();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_bit_is_never_read),
		cmocka_unit_test(so_it_is_with_each_hash),
		cmocka_unit_test(even_the_padding_of_hash_blocks_counts),
		cmocka_unit_test(long_reads_fail_as_a_whole),
		cmocka_unit_test(parity_corrects_any_bit),
		cmocka_unit_test(wrong_parity_gives_no_wrong_data),
		cmocka_unit_test(parity_corrects_as_many_blocks_as_it_has_roots),
		cmocka_unit_test(a_hash_block_is_corrected_to_tell_what_is_wrong),
		cmocka_unit_test(what_cannot_be_read_is_known_without_a_digest),
		cmocka_unit_test(nothing_is_read_behind_the_hash_device),
		cmocka_unit_test(hash_blocks_are_read_once),
		cmocka_unit_test(many_wait_for_one_hash_block),
		cmocka_unit_test(a_corrupt_block_ends_the_device),
		cmocka_unit_test(what_is_wrong_can_be_let_through),
		cmocka_unit_test(changed_lines_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("verity", tests, NULL, NULL);
}
