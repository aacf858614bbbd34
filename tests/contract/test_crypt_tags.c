/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt with tags, on the target integrity: what was written is read; what was changed below, moved, or was never written, is not; and the
 * power is cut after each write.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "support/world.h"
#include "targets/integrity/format.h"

#define SECTORS 256u
#define KEY "00112233445566778899aabbccddeeff"
#define KEY2 KEY "ffeeddccbbaa99887766554433221100"

static const struct way {
	const char *cipher, *key, *options, *mode;
	unsigned tag, block, n_options;
} ways[] = {
	{ "capi:gcm(aes)-random", KEY, "integrity:28:aead", "J", 28, 1, 1 },
	{ "capi:gcm(aes)-random", KEY2, "integrity:28:aead sector_size:4096", "J", 28, 8, 2 },
	{ "capi:gcm(aes)-plain64", KEY, "integrity:16:aead", "D", 16, 1, 1 },
	{ "capi:authenc(hmac(sha256),xts(aes))-random", KEY2 KEY2, "integrity:48:aead", "J", 48, 1, 1 },
	{ "capi:authenc(hmac(sha1),cbc(aes))-plain64", KEY "0123456789012345678901234567890123456789", "integrity:20:aead", "D", 20, 1, 1 },
	{ "capi:rfc7539(chacha20,poly1305)-random", KEY2, "integrity:28:aead", "J", 28, 1, 1 },
	{ "capi:authenc(hmac(sha256),xts(aes))-random", KEY2 KEY2, "integrity:48:aead sector_size:4096", "J", 48, 8, 2 },
	{ "capi:authenc(hmac(sha512),cts(cbc(aes)))-plain64", KEY2 KEY2 KEY2, "integrity:64:aead", "D", 64, 1, 1 },
	{ "capi:gcm(aes)-random", KEY, "integrity:24:aead", "J", 41, 1, 1 },	/* there is more room below */
	{ "capi:rfc4309(ccm(aes))-random", KEY "010203", "integrity:24:aead", "J", 24, 1, 1 },
	{ "capi:rfc4106(gcm(aes))-plain64", KEY "01020304", "integrity:16:aead sector_size:4096", "D", 16, 8, 2 },
	{ "capi:authenc(cmac(aes),xts(aes))-random", KEY2 KEY, "integrity:32:aead", "J", 32, 1, 1 },
	{ "capi:authenc(hmac(sha256),ecb(cipher_null))-plain64", KEY2, "integrity:32:aead", "J", 32, 1, 1 },
};

/* There is no tag, but room for one, which is zeros behind the IV. */
static const struct way no_tags[] = {
	{ "aes-xts-random", KEY2, "integrity:32:none", "J", 40, 1, 1 }, { "aes-xts-plain64", KEY2, "integrity:32:none", "D", 40, 1, 1 },
	{ "cipher_null-ecb", "-", "integrity:32:none", "J", 40, 1, 1 },
};

/* Only the IV is kept: what is changed is not noticed. */
static const struct way without = { "aes-xts-random", KEY2, "integrity:16:none sector_size:4096", "D", 16, 8, 2 };

#define WAYS (sizeof(ways) / sizeof(*ways))

static struct fixture f;
static struct dm_device *d;
static const struct way *way;
static uint8_t model[SECTORS][512];
static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* Bytes of a tag that crypt uses. */
static unsigned used(void)
{
	return (unsigned)atoi(way->options + strlen("integrity:"));
}

/* False: what is below cannot be opened. */
static bool world_tries(void)
{
	char line[512], why[ERR_TEXT];

	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	snprintf(line, sizeof(line), "0 %u integrity disk:0 0 %u %s %u journal_sectors:400 interleave_sectors:256 fix_padding block_size:%u", SECTORS, way->tag,
		 way->mode, 4u, way->block * 512);
	if (create(&f, "below", line, why)) {
		assert_true(*why);
		fixture_end(&f);
		return false;
	}
	dm_open(dm_find_name(f.world, "below"));
	snprintf(line, sizeof(line), "0 %u crypt %s %s 7000 device:below 0 %u %s", SECTORS, way->cipher, way->key, way->n_options, way->options);
	d = make_device(&f, "d", line);
	dm_open(d);
	return true;
}

static void world_begin(void)
{
	assert_true(world_tries());
}

static void world_end(void)
{
	dm_close(d);
	dm_close(dm_find_name(f.world, "below"));
	fixture_end(&f);
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&f, d, next_random(2), op, flags, sector, count, data);
}

static void change(uint64_t sector, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		memset(model[sector + i], (int)next_random(256), 512);
	assert_int_equal(io(DM_WRITE, next_random(3) ? 0 : DM_FUA, sector, count, model[sector]), 0);
}

static void check(void)
{
	static uint8_t data[SECTORS][512];
	uint64_t step;

	for (step = 8; step <= SECTORS; step *= 4)
		for (uint64_t at = 0; at < SECTORS; at += step) {
			memset(data, 0, step * 512);
			assert_int_equal(io(DM_READ, 0, at, step, data), 0);
			assert_memory_equal(data, model[at], step * 512);
		}
}

static void begin(const struct way *w)
{
	way = w;
	seed = 9;
	disk_reset();
	world_begin();
}

static void what_was_written_is_read(void **state)
{
	unsigned i;

	begin(*state);
	change(0, SECTORS);
	for (i = 0; i < 40; i++) {
		uint64_t at = next_random(SECTORS / way->block - 20) * way->block;

		change(at, (1 + next_random(20)) * way->block < SECTORS - at ? (1 + next_random(8)) * way->block : way->block);
	}
	memset(model[64], 0, 512 * 64);
	assert_int_equal(io(DM_ZEROES, 0, 64, 64, NULL), 0);
	check();
	world_end();
	world_begin();
	check();
	world_end();
}

static void place(struct iformat *at)
{
	struct iformat_sb sb;

	iformat_sb_read(&sb, disk_bytes(0));
	*at = (struct iformat){ .data_sectors = DISK_SECTORS, .meta_sectors = DISK_SECTORS, .log2_buffer = 7 };
	assert_int_equal(iformat_measure(at, &sb), 0);
	assert_int_equal(iformat_place(at, &sb), 0);
}

static void what_was_changed_is_not_read(void **state)
{
	static uint8_t data[8][512];
	struct iformat at;
	unsigned i;

	begin(*state);
	assert_int_equal(io(DM_READ, 0, 16, way->block, data), -EILSEQ);
	change(0, SECTORS);
	world_end();
	place(&at);
	for (i = 0; i < 40; i++) {
		uint64_t sector = next_random(SECTORS / way->block) * way->block;
		uint8_t bit = (uint8_t)(1u << next_random(8)), *byte = disk_bytes(0) + iformat_data(&at, sector) * 512 + next_random(way->block * 512);

		if (i % 2)
			byte = disk_bytes(0) + at.initial * 512 + iformat_tag(&at, sector) + next_random(used());
		*byte ^= bit;
		world_begin();
		memset(data, 'x', sizeof(data));
		assert_int_equal(io(DM_READ, 0, sector, way->block, data), -EILSEQ);
		assert_int_equal(data[0][0], 0);
		world_end();
		*byte ^= bit;
	}
	world_begin();
	check();
	world_end();
}

/* A sector with its tag at the place of another one, too. */
static void what_was_moved_is_not_read(void **state)
{
	static uint8_t data[8][512];
	struct iformat at;
	uint64_t from, to;

	begin(*state);
	change(0, SECTORS);
	world_end();
	place(&at);
	from = 5 * way->block;
	to = 9 * way->block;
	memcpy(disk_bytes(0) + iformat_data(&at, to) * 512, disk_bytes(0) + iformat_data(&at, from) * 512, way->block * 512);
	memcpy(disk_bytes(0) + at.initial * 512 + iformat_tag(&at, to), disk_bytes(0) + at.initial * 512 + iformat_tag(&at, from), way->tag);
	world_begin();
	assert_int_equal(io(DM_READ, 0, from, way->block, data), 0);
	assert_int_equal(io(DM_READ, 0, to, way->block, data), -EILSEQ);
	world_end();
}

static void an_iv_alone_is_kept(void **state)
{
	uint8_t first[512];
	struct iformat at;

	(void)state;
	begin(&without);
	change(0, SECTORS);
	check();
	world_end();
	place(&at);
	memcpy(first, disk_bytes(0) + iformat_data(&at, 0) * 512, 512);
	world_begin();
	check();
	assert_int_equal(io(DM_WRITE, 0, 0, 8, model[0]), 0);
	world_end();
	assert_memory_not_equal(first, disk_bytes(0) + iformat_data(&at, 0) * 512, 512);	/* with another IV */
}

static void what_is_no_tag_is_zeros(void **state)
{
	static const uint8_t zeros[64];
	struct iformat at;
	size_t i;
	uint64_t sector;

	(void)state;
	for (i = 0; i < sizeof(no_tags) / sizeof(*no_tags); i++) {
		unsigned iv = strstr(no_tags[i].cipher, "random") ? 16 : 0;

		begin(&no_tags[i]);
		change(0, SECTORS);
		world_end();
		place(&at);
		memset(disk_bytes(0) + at.initial * 512, 0xee, SECTORS * way->tag);
		world_begin();
		change(0, SECTORS);
		change(30, 1);
		check();
		world_end();
		for (sector = 0; sector < SECTORS; sector++)
			assert_memory_equal(disk_bytes(0) + at.initial * 512 + iformat_tag(&at, sector) + iv, zeros, way->tag - iv);
	}
}

/* With a journal below, no sector that was durable is lost, and none is torn. */
static void no_sector_is_lost_or_torn(void **state)
{
	static uint8_t old[16][512], young[16][512], data[16][512];
	unsigned writes, cut, luck, i;

	(void)state;
	way = &ways[0];
	memset(old, 'o', sizeof(old));
	memset(young, 'y', sizeof(young));
	for (cut = 0, writes = 1; cut <= writes; cut++)
		for (luck = 0; luck < DISK_LUCKS; luck++) {
			begin(&ways[0]);
			assert_int_equal(io(DM_WRITE, DM_FUA, 8, 16, old), 0);
			writes = disk_writes();
			disk_cut_after(cut);
			io(DM_WRITE, DM_FUA, 8, 16, young);
			world_end();
			writes = disk_writes() - writes;
			disk_power_on(luck);
			world_begin();
			for (i = 0; i < 16; i++) {
				assert_int_equal(io(DM_READ, 0, 8 + i, 1, data[i]), 0);
				if (memcmp(data[i], old[i], 512))
					assert_memory_equal(data[i], young[i], 512);
			}
			world_end();
		}
}

/* A bit of a journal that is to be replayed: what was there before, what was written, or an error; never anything else. */
static void a_bit_of_the_journal_gives_no_wrong_data(void **state)
{
	static uint8_t old[16][512], young[16][512], data[8][512];
	unsigned i, k, failed = 0;
	size_t n;

	way = *state;
	n = way->block * 512u;
	memset(old, 'o', sizeof(old));
	memset(young, 'y', sizeof(young));
	for (i = 0; i < 60; i++) {
		begin(way);
		assert_int_equal(io(DM_WRITE, 0, 8, 16, old), 0);
		world_end();
		world_begin();
		disk_cut_after(UINT32_MAX / 2);
		assert_int_equal(io(DM_WRITE, DM_FUA, 8, 16, young), 0);
		disk_cut_now();
		world_end();
		disk_power_on(DISK_ALL);
		seed = i;
		disk_bytes(0)[4096 + next_random(i % 2 ? 48 * 512 : 8 * 512)] ^= (uint8_t)(1u << next_random(8));
		if (!world_tries()) {
			failed++;
			continue;
		}
		for (k = 0; k < 16; k += way->block) {
			int err = io(DM_READ, 0, 8 + k, way->block, data);

			if (err) {
				assert_int_equal(err, -EILSEQ);
				failed++;
			} else if (memcmp(data, old[k], n)) {
				assert_memory_equal(data, young[k], n);
			}
		}
		world_end();
	}
	assert_true(failed > 0);
}

static void refused(const char *below, const char *line, const char *why)
{
	char text[512], said[ERR_TEXT];

	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 1, AIO_AUTO);
	dm_open(make_device(&f, "below", below));
	snprintf(text, sizeof(text), "0 64 crypt %s", line);
	assert_int_not_equal(create(&f, "d", text, said), 0);
	if (!strstr(said, why))
		fail_msg("%s: it does not say '%s': %s", line, why, said);
	dm_close(dm_find_name(f.world, "below"));
	fixture_end(&f);
}

static void what_does_not_fit_gets_a_sentence(void **state)
{
	static const char tags[] = "0 64 integrity disk:0 0 28 D 2 journal_sectors:400 interleave_sectors:256";
	static const char hash[] = "0 64 integrity disk:0 0 - D 3 internal_hash:crc32c journal_sectors:400 interleave_sectors:256";

	(void)state;
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0", "integrity:BYTES:aead");
	refused(tags, "capi:authenc(hmac(sha256),xts(aes))-plain64 " KEY2 KEY2 " 0 device:below 0 1 integrity:29:aead", "keeps tags of 28 bytes");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0 1 integrity:30:aead", "leaves 18 bytes");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0 2 integrity:28:aead sector_size:4096", "blocks of 512 bytes");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0 1 integrity:28:nope", "'aead' and 'none'");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0 1 integrity:28", "integrity:BYTES:aead");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 device:below 0 1 integrity:x:aead", "integrity:BYTES:aead");
	refused(tags, "capi:rfc4309(ccm(aes))-random " KEY " 0 device:below 0 1 integrity:24:aead", "rfc4309 takes 3 more");
	refused(tags, "capi:rfc4309(ccm(aes))-random " KEY "010203 0 device:below 0 1 integrity:14:aead", "leaves 6 bytes");
	refused(tags, "capi:authenc(cmac(nope),xts(aes))-random " KEY2 KEY " 0 device:below 0 1 integrity:28:aead", "no CMAC of the cipher 'nope'");
	refused(tags, "aes-gcm-random " KEY " 0 device:below 0 1 integrity:28:aead", "spelled capi:");
	refused(tags, "aes-xts-plain64 " KEY2 " 0 device:below 0 1 integrity:28:aead", "makes no tags");
	refused(tags, "capi:authenc(hmac(sha256),ecb(cipher_null))-plain64 - 0 device:below 0 1 integrity:28:aead", "32 bytes, not 0");
	refused(tags, "cipher_null-ecb " KEY " 0 device:below 0 1 integrity:28:none", "the word is '-'");
	refused(tags, "capi:gcm(cipher_null)-random - 0 device:below 0 1 integrity:28:aead", "blocks of 1 byte");
	refused(tags, "capi:gcm(aes)-essiv:sha256 " KEY " 0 device:below 0 1 integrity:28:aead", "authenc(hmac(HASH)");
	refused(tags, "capi:authenc(hmac(sha224),cbc(aes))-eboiv " KEY "01234567890123456789012345678901234567890123456789012345 0 device:below 0 1 integrity:28:aead",
		"not for ciphers with tags");
	refused(tags, "aes-xts-random " KEY2 " 0 device:below 0", "16 bytes for each sector");
	refused(tags, "capi:authenc(hmac(nope),xts(aes))-random " KEY2 " 0 device:below 0 1 integrity:28:aead", "no hash 'nope'");
	refused(tags, "capi:authenc(sha1,xts(aes))-random " KEY2 " 0 device:below 0 1 integrity:28:aead", "authenc(hmac(HASH)");
	refused(hash, "capi:gcm(aes)-random " KEY " 0 device:below 0 1 integrity:28:aead", "without an internal_hash");
	refused(tags, "capi:gcm(aes)-random " KEY " 0 disk:1 0 1 integrity:28:aead", "without an internal_hash");
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void **state);
	} each[] = {
		{ "what was written is read", what_was_written_is_read },
		{ "what was changed is not read", what_was_changed_is_not_read },
		{ "what was moved is not read", what_was_moved_is_not_read },
	};
	static struct CMUnitTest tests[WAYS * 3 + 6];
	static char names[WAYS * 3][128];
	size_t n = 0, i, k;

	for (i = 0; i < WAYS; i++)
		for (k = 0; k < sizeof(each) / sizeof(*each); k++) {
			snprintf(names[n], sizeof(names[n]), "%s, sectors of %u: %s", ways[i].cipher, ways[i].block * 512, each[k].name);
			tests[n] = (struct CMUnitTest){ names[n], each[k].run, NULL, NULL, (void *)(uintptr_t)&ways[i] };
			n++;
		}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_iv_alone_is_kept);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_no_tag_is_zeros);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(no_sector_is_lost_or_torn);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test_prestate(a_bit_of_the_journal_gives_no_wrong_data, (void *)(uintptr_t)&ways[0]);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test_prestate(a_bit_of_the_journal_gives_no_wrong_data, (void *)(uintptr_t)&ways[1]);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_does_not_fit_gets_a_sentence);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("crypt_tags", tests, n, NULL, NULL);
}
