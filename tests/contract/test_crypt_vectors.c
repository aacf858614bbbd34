/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cipher text as Linux's dm-crypt writes it: tests/kernel/recorded/crypt-vectors.txt, which tests/kernel/crypt-vectors has made.
 * Each of its lines is loaded here; the same plain text must become the same cipher text, and be read back, in pieces of
 * several lengths. What the kernel has refused is refused; what only libgcrypt lacks is in the list below.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "support/world.h"
#include "targets/crypt/crypt.h"

#define SECTORS 64u

/* Ciphers, modes and key sizes that Linux has and libgcrypt has not. */
static const char *const lacking[] = {
	"cast6-", "capi:adiantum(", "twofish-cbc-plain64 18", "twofish-ctr-plain64 18", "twofish-ecb 18",
	"twofish-xts-plain64 30", "cast5-cbc-plain64 0a", "cast5-cbc-benbi 0a", "cast5-ctr-plain64 0a", "cast5-ecb 0a",
	"aes-xts-lmk",	/* nor can Linux read what it writes in this one: lmk is for cbc */
	"capi:cbc(aes) ",	/* without an IV mode: the IV is what happens to be there */
};

static uint8_t plain[SECTORS * 512], seen[SECTORS * 512];

/* As sectors() of tests/kernel/words.sh. */
static void plain_make(void)
{
	char line[513];

	for (unsigned i = 0; i < SECTORS; i++) {
		snprintf(line, sizeof(line), "%-511u\n", i);
		memcpy(plain + i * 512, line, 512);
	}
}

static bool is_lacking(const char *words)
{
	for (size_t i = 0; i < sizeof(lacking) / sizeof(*lacking); i++)
		if (!strncmp(words, lacking[i], strlen(lacking[i])))
			return true;
	return false;
}

static void sum_hex(const uint8_t *bytes, size_t n, char out[33])
{
	uint8_t sum[16];

	gcry_md_hash_buffer(GCRY_MD_MD5, sum, bytes, n);
	for (unsigned i = 0; i < sizeof(sum); i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* In pieces of N sectors, on two threads in turn. */
static void pass(struct fixture *f, struct dm_device *d, enum dm_op op, unsigned n, uint8_t *bytes)
{
	for (unsigned at = 0; at < SECTORS; at += n)
		assert_int_equal(request(f, d, at / n % 2, op, 0, at, n, bytes + at * 512), 0);
}

static void vector_check(struct fixture *f, const char *sum, const char *words)
{
	struct dm_device *d = f->world ? make_device(f, "c", words) : NULL;
	char ours[33];

	dm_open(d);
	for (unsigned n = 8; n <= SECTORS; n *= 8) {
		memset(disk_bytes(0), 0, DISK_SECTORS * 512);
		pass(f, d, DM_WRITE, n, plain);
		sum_hex(disk_bytes(0) + 8 * 512, SECTORS * 512, ours);
		if (strcmp(ours, sum))
			fail_msg("%s: the sum of what is written is %s, and %s by Linux", words, ours, sum);
		memset(seen, 0, sizeof(seen));
		pass(f, d, DM_READ, SECTORS / n * 8, seen);
		assert_memory_equal(seen, plain, sizeof(plain));
	}
	dm_close(d);
	assert_int_equal(verb(f, DM_DO_REMOVE, "c", 0, NULL), 0);
}

static void refusal_check(struct fixture *f, const char *words)
{
	char why[ERR_TEXT];

	if (!create(f, "c", words, why))
		fail_msg("%s: Linux refuses this, or libgcrypt lacks it", words);
}

/* A line of the file: "SUM WORDS" or "refused: WHY: WORDS". The disk is here disk:0. */
static void line_check(struct fixture *f, char *line)
{
	char table[8192], *words = strstr(line, ": "), *sum = line, *device;
	bool refused = !strncmp(line, "refused: ", strlen("refused: "));

	words = refused ? strstr(words + 2, ": ") + 2 : strchr(line, ' ') + 1;
	words[-1] = '\0';
	device = strstr(words, "/dev/vda");
	assert_non_null(device);
	snprintf(table, sizeof(table), "0 %u crypt %.*sdisk:0%s", SECTORS, (int)(device - words), words, device + strlen("/dev/vda"));
	if (refused || is_lacking(words))
		refusal_check(f, table);
	else
		vector_check(f, sum, table);
}

static void cipher_text_is_that_of_linux(void **state)
{
	static char line[8192];
	unsigned lines = 0;
	struct fixture f;
	FILE *file;

	(void)state;
	plain_make();
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
	assert_true(lines > 150);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cipher_text_is_that_of_linux) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
