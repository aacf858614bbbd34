/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cipher text as Linux's dm-crypt writes it: tests/kernel/recorded/crypt-vectors.txt, which tests/kernel/crypt-vectors has made and
 * explains. Each of its tables is loaded here; the same plain text must become the same cipher text and the same tags, and be read
 * back, in pieces of several lengths. What the kernel has refused is refused with the same errno; what only one of the two has is in
 * the lists below.
 */
#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "kernel/vectors.h"
#include "support/world.h"
#include "targets/crypt/crypt.h"
#include "targets/integrity/format.h"

/* What Linux has and libgcrypt has not: patterns. */
static const char *const lacking[] = {
	"*fcrypt*", "*cast6*", "*cast5*-plain64 5", "*cast5*-plain64 10", "*cast5*-plain64 15",
	"*twofish*-plain64 24", "twofish-xts-plain64 48", "twofish-lrw-plain64 40",
	"twofish:2-cbc-lmk 48", "*-essiv:blake2b-160 *", "*-essiv:blake2b-384 *", "*-essiv:crc32 *", "*-essiv:crc32c *", "*-essiv:xxhash64 *",
	"*-essiv:ghash *",
	"serpent:64-cbc-lmk 2056", "serpent-cbc-plain64 18", "capi:ecb(aes)- 32",
	"capi:cts(cbc(serpent))-lmk 32", "capi:cbc(serpent)-lmk 16",	/* 64 keys of no bytes at all */
	/* essiv in this spelling, which is there for plain64, over other IVs */
	"capi:essiv(cbc(aes),sha256) 32", "capi:essiv(cbc(aes),sha256)-[!p]*", "capi:essiv(cbc(aes),sha256)-plain 32",
	"capi:essiv(cbc(aes),sha256)-plain64be 32",
	"*rfc3686*", "capi:*chacha*-plain64 32", "*adiantum*", "*hctr2*", "*keywrap*",
	/* no such cipher here either, but another errno */
	"capi:cts(ctr(aes))*", "capi:*(ecb(aes))-plain64 *", "capi:xts(aes))*", "aes-gcm-plain64 32", "aes-ccm-plain64 32", "aes-gcm-plain64 32 16",
	"capi:authenc(sha256,*", "capi:authenc(hmac(sha256),essiv(*", "capi:essiv(authenc(*", "capi:authencesn(*",
	"*aegis*", "*(xcbc(aes)*", "*rfc4543*", "*rfc7539esp*",
	"aes-cbc-essiv: 32",
	NULL
};

/* What is encrypted otherwise here, on purpose: without an IV Linux keeps no tag. */
static const char *const others[] = { "capi:authenc(hmac(sha256),ecb(*", NULL };

/* What libgcrypt has, and Debian's kernel has not. */
static const char *const more[] = { "sm4-*", "seed-*", "*(sm4)*", "*(seed)*", "*-essiv:sm3 *", "*hmac(sm3)*", NULL };

static uint8_t plain[SECTORS * 512], seen[SECTORS * 512];
static unsigned wrong;

static bool in_list(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (!fnmatch(*list, text, 0))
			return true;
	return false;
}

static void below_make(struct fixture *f, const struct row *r, unsigned sector)
{
	char words[256], table[300];

	memset(disk_bytes(0), 0, DISK_SECTORS * 512);
	if (!r->tag)
		return;
	row_words_below(r, sector, "disk:0", words);
	snprintf(table, sizeof(table), "0 %u integrity %s", SECTORS, words);
	make_device(f, "below", table);
}

static void below_remove(struct fixture *f, const struct row *r)
{
	if (r->tag)
		assert_int_equal(verb(f, DM_DO_REMOVE, "below", 0, NULL), 0);
}

static uint64_t tags_begin(void)
{
	struct iformat at = { .data_sectors = DISK_SECTORS, .meta_sectors = DISK_SECTORS, .log2_buffer = 7 };
	struct iformat_sb sb;

	iformat_sb_read(&sb, disk_bytes(0));
	assert_int_equal(iformat_measure(&at, &sb), 0);
	return at.initial;
}

/* The first half of the MD5 sum of what is on the disk. */
static void sum_hex(const struct row *r, char out[17])
{
	uint8_t sum[16];

	if (r->tag)
		gcry_md_hash_buffer(GCRY_MD_MD5, sum, disk_bytes(0) + tags_begin() * 512, WITH_TAGS * 512);
	else
		gcry_md_hash_buffer(GCRY_MD_MD5, sum, disk_bytes(0) + ON_DISK * 512, SECTORS * 512);
	for (unsigned i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* In pieces of N sectors, on two threads in turn. */
static int pass(struct fixture *f, enum dm_op op, unsigned n, uint8_t *bytes)
{
	struct dm_device *d = dm_find_name(f->world, "c");
	int err = 0;

	dm_open(d);
	for (unsigned at = 0; at < SECTORS && !err; at += n)
		err = request(f, d, at / n % 2, op, 0, at, n, bytes + at * 512);
	dm_close(d);
	return err;
}

static void differs(const struct row *r, unsigned sector, bool large, const char *ours, const char *theirs)
{
	print_message("# %s, sectors of %u%s: %s here, %s by Linux\n", r->text, sector, large ? " (large)" : "", ours, theirs);
	wrong++;
}

/* Writes in pieces of N and reads in others; SUM has what is then on the disk, or what went wrong. */
static void written(struct fixture *f, const struct row *r, unsigned sector, const char *table, unsigned n, char sum[40])
{
	char why[ERR_TEXT] = "";
	int err;

	below_make(f, r, sector);
	err = create(f, "c", table, why);
	if (err) {
		snprintf(sum, 40, "%s", strerrorname_np(abs(err)));
		below_remove(f, r);
		return;
	}
	memset(seen, 0, sizeof(seen));
	strcpy(sum, "unwritten");
	if (!pass(f, DM_WRITE, n, plain))
		strcpy(sum, pass(f, DM_READ, SECTORS / n * 8, seen) || memcmp(seen, plain, sizeof(plain)) ? "unread:" : "");
	assert_int_equal(verb(f, DM_DO_REMOVE, "c", 0, NULL), 0);
	below_remove(f, r);
	if (!*sum)
		sum_hex(r, sum);
}

/* What Linux could not read again is refused here. OURS: what has become of it here. */
static bool is_as_wanted(const struct row *r, const char *ours, const char *theirs)
{
	bool refused = *ours == 'E', written = !refused && *ours != 'u';

	if (in_list(more, r->text) && !strcmp(theirs, "ENOENT"))
		return written;
	if (!strcmp(theirs, "random") || (in_list(others, r->text) && *theirs != 'E'))
		return written;
	if (in_list(lacking, r->text))
		return refused;
	return strncmp(theirs, "unread:", strlen("unread:")) ? !strcmp(ours, theirs) : refused;
}

static void vector_check(struct fixture *f, const struct row *r, unsigned sector, bool large, const char *theirs)
{
	char table[16384], ours[40];
	unsigned n;

	row_words(r, sector, large, "disk:0", "device:below", table + sprintf(table, "0 %u crypt ", SECTORS));
	for (n = 8; n <= SECTORS; n *= 8) {
		written(f, r, sector, table, n, ours);
		if (!is_as_wanted(r, ours, theirs)) {
			differs(r, sector, large, ours, theirs);
			return;
		}
		if (*ours == 'E')
			return;
	}
}

static void line_check(struct fixture *f, char *line)
{
	char *results = strchr(line, '\t'), *rest = NULL;
	struct row r;
	unsigned i;

	assert_non_null(results);
	*results++ = '\0';
	assert_true(row_read(&r, line));
	for (i = 0; i < ROW_SIZES; i++)
		vector_check(f, &r, row_sector(i), row_is_large(i), strtok_r(i ? NULL : results, " ", &rest));
}

static void cipher_text_is_that_of_linux(void **state)
{
	char line[1024];
	unsigned lines = 0;
	struct fixture f;
	FILE *file;

	(void)state;
	plain_make(plain);
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	file = fopen(CRYPT_VECTORS, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '#') {
			line_check(&f, line);
			lines++;
		}
	}
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(lines > 1500);
	fixture_end(&f);
}

/* Who has a volume with one of these reads in the sentence which cipher it is that is missing, and not that he has misspelled it. */
static void what_is_missing_is_named(void **state)
{
	static const char *const missing[][2] = {
		{ "capi:adiantum(xchacha12,aes)-plain64", "there is no cipher mode 'adiantum' here" },
		{ "xchacha20,aes-adiantum-plain64", "libgcrypt has no cipher 'xchacha20,aes'" },
		{ "capi:hctr2(aes)-plain64", "there is no cipher mode 'hctr2' here" },
		{ "aria-xts-plain64", "libgcrypt has no cipher 'aria'" }, { "cast6-xts-plain64", "libgcrypt has no cipher 'cast6'" },
		{ "capi:gcm(aria)-random", "libgcrypt has no cipher 'aria'" },
		{ "capi:aegis128-random", "libgcrypt has no cipher 'aegis128' that needs no mode" },
		{ "capi:chacha20-plain64", "libgcrypt has no cipher 'chacha20' that needs no mode" },
		{ "capi:rfc3686(ctr(aes))-plain64", "there is no cipher mode 'rfc3686' here" },
		{ "capi:-plain64", "capi: is followed by MODE(CIPHER)-IV" }, { "capi:xts(aes-plain64", "capi: is followed by MODE(CIPHER)-IV" },
	};
	char line[200], why[ERR_TEXT];
	struct fixture f;

	(void)state;
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 1, AIO_AUTO);
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		snprintf(line, sizeof(line), "0 8 crypt %s 000102030405060708090a0b0c0d0e0f 0 disk:0 0", missing[i][0]);
		assert_int_equal(create(&f, "c", line, why), -ENOENT);
		if (!strstr(why, missing[i][1]))
			fail_msg("%s: %s", missing[i][0], why);
	}
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cipher_text_is_that_of_linux), cmocka_unit_test(what_is_missing_is_named) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
