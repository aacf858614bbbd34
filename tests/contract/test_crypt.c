/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt: what a changed bit of the cipher text does to the plain text, which is what the mode says and no more; what a reader and
 * a writer have in their buffers; lines and keys that are nearly right.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hex.h"
#include "contract/disk.h"
#include "core/device/device.h"
#include "support/world.h"
#include "targets/crypt/crypt.h"

#define SECTORS 512u		/* long enough that workers share it */
#define BYTES (SECTORS * 512u)
#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define KEY32 KEY16 "101112131415161718191a1b1c1d1e1f"
#define BLOCK 16u

static struct fixture f;
static struct dm_device *d;
static uint8_t plain[BYTES], seen[BYTES], cipher[BYTES];
static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void load(const char *words, const char *options)
{
	char line[1024];

	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	snprintf(line, sizeof(line), "0 %u crypt %s 0 disk:0 0 %s", SECTORS, words, options);
	d = make_device(&f, "c", line);
	dm_open(d);
	for (unsigned i = 0; i < BYTES; i++)
		plain[i] = (uint8_t)next_random(256);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, SECTORS, plain), 0);
	memcpy(cipher, disk_bytes(0), BYTES);
}

static void unload(void)
{
	dm_close(d);
	fixture_end(&f);
}

static void read_all(void)
{
	memset(seen, 0x77, BYTES);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 0, SECTORS, seen), 0);
}

static bool block_is_right(unsigned i)
{
	return !memcmp(seen + i * BLOCK, plain + i * BLOCK, BLOCK);
}

/* The bit of block I that was changed is, and no other one. */
static bool block_has_flip(unsigned i, unsigned bit)
{
	uint8_t block[BLOCK];

	memcpy(block, plain + i * BLOCK, BLOCK);
	block[bit / 8] ^= (uint8_t)(1u << bit % 8);
	return !memcmp(seen + i * BLOCK, block, BLOCK);
}

enum spread {
	BLOCK_ALONE,
	BLOCK_AND_NEXT_BIT,	/* the block, and the same bit of the next one */
	BIT_ALONE,
	BLOCK_AND_REST,		/* the block, and all behind it */
	SWAPPED,		/* as BLOCK_AND_NEXT_BIT, but the last two blocks are in the other order */
	FIRST_TOO,		/* as BLOCK_AND_NEXT_BIT, and the sector's first block, whose IV is a digest of the others */
	SECTOR,
};

static const struct mode {
	const char *words, *options;
	unsigned sector;		/* bytes */
	enum spread spread;
} modes[] = {
	{ "aes-xts-plain64 " KEY32, "", 512, BLOCK_ALONE },
	{ "aes-xts-plain64 " KEY32, "1 sector_size:4096", 4096, BLOCK_ALONE },
	{ "aes-cbc-essiv:sha256 " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-plain64 " KEY32, "1 sector_size:2048", 2048, BLOCK_AND_NEXT_BIT },
	{ "aes-ctr-plain64 " KEY16, "", 512, BIT_ALONE },
	{ "aes-ecb " KEY16, "", 512, BLOCK_ALONE },
	{ "serpent-xts-plain64 " KEY32, "", 512, BLOCK_ALONE },
	{ "aes-cbc-elephant " KEY32, "", 512, SECTOR },	/* its diffusers see to that */
	{ "aes-cbc-plain " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-plain64be " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-benbi " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-null " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-eboiv " KEY16, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-essiv:sha256 " KEY16, "2 sector_size:4096 iv_large_sectors", 4096, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-tcw " KEY32 KEY32, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-cbc-lmk " KEY16, "", 512, FIRST_TOO },
	{ "aes:2-cbc-lmk " KEY32 KEY16, "", 512, FIRST_TOO },
	{ "aes:2-cbc-plain64 " KEY32, "", 512, BLOCK_AND_NEXT_BIT },
	{ "aes-lrw-benbi " KEY32, "", 512, BLOCK_ALONE },
	{ "aes-pcbc-plain64 " KEY16, "", 512, BLOCK_AND_REST },
	{ "capi:cts(cbc(aes))-plain64 " KEY16, "", 512, SWAPPED },
	{ "twofish-ctr-plain64 " KEY32, "1 sector_size:1024", 1024, BIT_ALONE },
	{ "camellia-xts-plain64 " KEY32, "", 512, BLOCK_ALONE },
	{ "cipher_null-ecb -", "", 512, BIT_ALONE },
};

/* The block of the plain text that a block of the cipher text is decrypted to. */
static unsigned plain_of(const struct mode *m, unsigned block)
{
	unsigned per_sector = m->sector / BLOCK;

	return m->spread == SWAPPED && block % per_sector >= per_sector - 2 ? block ^ 1 : block;
}

/* Blocks of which nothing is known but that they are wrong. */
static bool is_scattered(const struct mode *m, unsigned i, unsigned changed)
{
	if (m->spread == SECTOR)
		return true;
	if (m->spread == BLOCK_AND_REST)
		return i >= changed;
	return (i == changed && m->spread != BIT_ALONE) || (m->spread == FIRST_TOO && i % (m->sector / BLOCK) == 0);
}

static bool has_next_bit(const struct mode *m)
{
	return m->spread == BLOCK_AND_NEXT_BIT || m->spread == SWAPPED || m->spread == FIRST_TOO;
}

/* What block I may be after BIT of the cipher text was changed. */
static void check_block(const struct mode *m, unsigned i, unsigned bit)
{
	unsigned changed = plain_of(m, bit / 8 / BLOCK), per_sector = m->sector / BLOCK;
	bool same_sector = i / per_sector == changed / per_sector;

	if (same_sector && is_scattered(m, i, changed)) {
		if (m->spread != SECTOR && block_is_right(i))
			fail_msg("%s: bit %u does not change block %u", m->words, bit, i);
		return;
	}
	if ((i == changed && m->spread == BIT_ALONE) || (i == changed + 1 && same_sector && has_next_bit(m))) {
		if (!block_has_flip(i, bit % (8 * BLOCK)))
			fail_msg("%s: bit %u does not change its own in block %u", m->words, bit, i);
		return;
	}
	if (!block_is_right(i))
		fail_msg("%s: bit %u changes block %u", m->words, bit, i);
}

static void a_changed_bit_changes_what_the_mode_says(void **state)
{
	const struct mode *m;
	unsigned i, n, bit;

	(void)state;
	for (m = modes; m < modes + sizeof(modes) / sizeof(*modes); m++) {
		load(m->words, m->options);
		for (n = 0; n < 40; n++) {
			bit = next_random(BYTES * 8);
			disk_bytes(0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
			read_all();
			for (i = 0; i < BYTES / BLOCK; i++)
				check_block(m, i, bit);
			disk_bytes(0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		unload();
	}
}

static bool has_cipher_text(const uint8_t *bytes)
{
	unsigned i;

	for (i = 0; i < BYTES; i += BLOCK)
		if (!memcmp(bytes + i, cipher + i, BLOCK))
			return true;
	return false;
}

/* A read that the disk holds, and one that fails; and a write never changes the writer's own buffer. */
static void nobody_is_shown_cipher_text(void **state)
{
	static const unsigned lengths[] = { 1, 8, 64, SECTORS };
	struct job j;
	unsigned i;

	(void)state;
	load("aes-xts-plain64 " KEY32, "");
	assert_true(has_cipher_text(disk_bytes(0)));
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		memset(seen, 0x77, BYTES);
		disk_hold(0);
		job_start(&f, &j, d, i % 2, DM_READ, 0, 0, lengths[i], seen);
		settle_threads(&f);
		assert_false(has_cipher_text(seen));
		disk_let_go();
		assert_int_equal(job_wait(&j), 0);
		assert_memory_equal(seen, plain, lengths[i] * 512);
		assert_false(has_cipher_text(seen));
		memcpy(seen, plain, BYTES);
		disk_hold(0);
		job_start(&f, &j, d, i % 2, DM_WRITE, 0, 0, lengths[i], seen);
		settle_threads(&f);
		assert_memory_equal(seen, plain, BYTES);
		disk_let_go();
		assert_int_equal(job_wait(&j), 0);
		assert_memory_equal(seen, plain, BYTES);
	}
	unload();
}

static void a_read_that_fails_shows_nothing(void **state)
{
	static const uint8_t nothing[BYTES];
	static const struct { unsigned from, n; } reads[] = { { 500, 12 }, { 448, 64 }, { 0, SECTORS } };
	unsigned i;

	(void)state;
	fixture_store = NULL;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "below", "0 508 linear memory,size=1M:m 0\n508 4 error");
	d = make_device(&f, "c", "0 512 crypt aes-xts-plain64 " KEY32 " 0 /dev/mapper/below 0");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 508, plain), 0);
	for (i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		memset(seen, 0x77, BYTES);
		assert_int_equal(request(&f, d, i % 2, DM_READ, 0, reads[i].from, reads[i].n, seen), -EIO);
		assert_memory_equal(seen, nothing, reads[i].n * 512);
	}
	unload();
}

/* Twelve hexadecimal digits in a row. */
static bool has_digits(const char *text)
{
	size_t run;

	for (; *text; text += run ? run : 1) {
		run = strspn(text, "0123456789abcdef");
		if (run >= 12)
			return true;
	}
	return false;
}

/* A line with characters changed gets a sentence without its key, or is loaded. */
static void changed_lines_get_a_sentence(void **state)
{
	static const char *const lines[] = {
		"aes-xts-plain64 " KEY32 " 0 disk:0 0 2 allow_discards sector_size:4096",
		"capi:cbc(aes)-essiv:sha256 " KEY16 " 8 disk:0 8 1 iv_large_sectors",
		"aes:2-cbc-lmk " KEY32 " 0 disk:0 0", "capi:essiv(cbc(aes),sha256)-plain64 " KEY16 " 0 disk:0 0",
		"blowfish-cbc-tcw " KEY16 "aabbccddeeff0011 0 disk:0 0", ":32:logon:name 0 disk:0 0", "aes-cbc-elephant " KEY32 " 0 disk:0 0",
	};
	static const char letters[] = "0123456789 -:(),aescbxtlmk";
	char line[1024], why[ERR_TEXT];
	unsigned i, at;
	int head;

	(void)state;
	load("aes-xts-plain64 " KEY32, "");
	for (i = 0; i < 8000; i++) {
		head = snprintf(line, sizeof(line), "0 512 crypt ");
		snprintf(line + head, sizeof(line) - (size_t)head, "%s", lines[next_random(sizeof(lines) / sizeof(*lines))]);
		for (at = next_random(4) + 1; at; at--)
			line[(uint32_t)head + next_random((uint32_t)strlen(line) - (uint32_t)head)] = letters[next_random(sizeof(letters) - 1)];
		if (!reload(&f, "c", line, why)) {
			verb(&f, DM_DO_CLEAR, "c", 0, NULL);
			continue;
		}
		assert_memory_equal(why, "table line 1: crypt ", 20);
		if (has_digits(why))
			fail_msg("the key is shown: %s", why);
	}
	read_all();
	assert_memory_equal(seen, plain, BYTES);
	unload();
}

/* --- keys -------------------------------------------------------------------------------------------------------------------- */

#define KEY64 KEY32 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define ZEROS16 "00000000000000000000000000000000"

/* What Linux 6.12 makes of a first sector of zeros: its first 16 bytes. */
static const struct {
	const char *words, *options, *first;
} linux_has[] = {
	/* integrity_key_size is for a MAC's part of the key; where there is no MAC the key is the cipher's alone */
	{ "aes-xts-plain64 " KEY64, "", "cd6b103236fbd87dba93e9001e29bc3d" },
	{ "aes-xts-plain64 " KEY64, "1 integrity_key_size:16", "cd6b103236fbd87dba93e9001e29bc3d" },
	{ "aes-xts-plain64 " KEY64, "1 integrity_key_size:32", "cd6b103236fbd87dba93e9001e29bc3d" },
	{ "aes-xts-plain64 " KEY64, "1 integrity_key_size:100", "cd6b103236fbd87dba93e9001e29bc3d" },
	{ "cipher_null-ecb -", "1 integrity_key_size:4", ZEROS16 },
	/* weak keys */
	{ "aes-xts-plain64 " KEY16 KEY16, "", "693ca211705593f3fdfe45769b115121" },
	{ "aes-xts-plain64 " KEY16 KEY16 KEY16 KEY16, "", "4b2d2c97240b9310dd5e97c80500e087" },
	{ "aes-xts-plain64 " ZEROS16 ZEROS16, "", "917cf69ebd68b2ec9b9fe9a3eadda692" },
	{ "des-cbc-null 0101010101010101", "", "8ca64de9c1b123a70000000000000000" },
	{ "des3_ede-cbc-plain64 010101010101010101010101010101010101010101010101", "", "8ca64de9c1b123a70000000000000000" },
};

static void keys_are_used_as_on_linux(void **state)
{
	uint8_t zeros[512] = { 0 }, first[16];
	unsigned i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(linux_has) / sizeof(*linux_has); i++) {
		load(linux_has[i].words, linux_has[i].options);
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, zeros), 0);
		assert_int_equal(hex_read(linux_has[i].first, first, 16), 16);
		if (memcmp(disk_bytes(0), first, 16))
			fail_msg("%s %s", linux_has[i].words, linux_has[i].options);
		text = rows(&f, DM_DO_TABLE, "c", 0);
		assert_non_null(strstr(text, linux_has[i].options));
		free(text);
		unload();
	}
}

/* Ciphers without a key encrypt nothing, and say so. */
static void forget_keys(void)
{
	struct crypt *k = d->active->targets[0].priv;
	unsigned i;

	for (i = 0; i < k->n_engines; i++) {
		gcry_cipher_close(k->engines[i]->data[0]);
		assert_int_equal(crypt_cipher_open_data(k, &k->engines[i]->data[0]), 0);
	}
}

/* If the library does not do it, nothing is sent, and nobody is told that it was written. */
static void what_is_not_encrypted_is_not_written(void **state)
{
	static const char *const words[] = { "aes-xts-plain64 " KEY32, "aes-cbc-plain64 " KEY16, "aes-ctr-plain64 " KEY16, "aes-lrw-benbi " KEY32, "aes-pcbc-plain64 " KEY16 };
	static const uint8_t nothing[BYTES];
	static const unsigned counts[] = { 1, 16, SECTORS };
	unsigned i, n;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		load(words[i], "");
		forget_keys();
		for (n = 0; n < 3; n++) {
			assert_int_equal(request(&f, d, n % 2, DM_WRITE, 0, 0, counts[n], plain), -EIO);
			assert_int_equal(request(&f, d, n % 2, DM_ZEROES, 0, 0, counts[n], NULL), -EIO);
			assert_memory_equal(disk_bytes(0), cipher, BYTES);
			memset(seen, 0x77, BYTES);
			assert_int_equal(request(&f, d, n % 2, DM_READ, 0, 0, counts[n], seen), -EIO);
			assert_memory_equal(seen, nothing, counts[n] * 512);
		}
		unload();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_bit_changes_what_the_mode_says),
		cmocka_unit_test(nobody_is_shown_cipher_text),
		cmocka_unit_test(a_read_that_fails_shows_nothing),
		cmocka_unit_test(changed_lines_get_a_sentence),
		cmocka_unit_test(keys_are_used_as_on_linux),
		cmocka_unit_test(what_is_not_encrypted_is_not_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
}
