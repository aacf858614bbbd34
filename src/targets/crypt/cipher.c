/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ciphers are libgcrypt's. It has most of those that Linux has, and is the fastest at the ones that matter: AES-XTS with
 * VAES at 4.5 GB/s for sectors of 512 bytes and 7.6 for 4096 on one core, where OpenSSL 3.0 reached 1.8 and 4.4. bench/NOTES.md
 * has the figures.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/crypt/crypt.h"

#define CHECKSUM_MOST 16u	/* bytes */

enum { LEAST = 4, BLOWFISH_MOST = 56, SERPENT_MOST = 32, SERPENT_STEP = 4 };

/* By the kernel's names. */
static const struct cipher_size {
	const char *name;
	unsigned key;		/* bytes; 0: from LEAST to cipher_most() */
	int algo;
} cipher_sizes[] = {
	{ "aes", 16, GCRY_CIPHER_AES128 }, { "aes", 24, GCRY_CIPHER_AES192 }, { "aes", 32, GCRY_CIPHER_AES256 },
	{ "serpent", 0, GCRY_CIPHER_SERPENT256 },
	{ "twofish", 16, GCRY_CIPHER_TWOFISH128 }, { "twofish", 32, GCRY_CIPHER_TWOFISH },
	{ "camellia", 16, GCRY_CIPHER_CAMELLIA128 }, { "camellia", 24, GCRY_CIPHER_CAMELLIA192 },
	{ "camellia", 32, GCRY_CIPHER_CAMELLIA256 },
	{ "cast5", 16, GCRY_CIPHER_CAST5 },  { "des3_ede", 24, GCRY_CIPHER_3DES },
	{ "des", 8, GCRY_CIPHER_DES }, { "sm4", 16, GCRY_CIPHER_SM4 }, { "seed", 16, GCRY_CIPHER_SEED },
	{ "blowfish", 0, GCRY_CIPHER_BLOWFISH },
};

static const struct cipher_size *cipher_sizes_end(void)
{
	return cipher_sizes + sizeof(cipher_sizes) / sizeof(*cipher_sizes);
}

bool crypt_cipher_known(const char *name)
{
	const struct cipher_size *c;

	for (c = cipher_sizes; c < cipher_sizes_end(); c++)
		if (!strcmp(c->name, name))
			return true;
	return false;
}

static unsigned cipher_most(const struct cipher_size *c)
{
	return c->key ? c->key : c->algo == GCRY_CIPHER_BLOWFISH ? BLOWFISH_MOST : SERPENT_MOST;
}

static bool cipher_takes(const struct cipher_size *c, unsigned bytes)
{
	if (c->key)
		return c->key == bytes;
	return bytes >= LEAST && bytes <= cipher_most(c) && (c->algo == GCRY_CIPHER_BLOWFISH || bytes % SERPENT_STEP == 0);
}

bool crypt_cipher_find(struct crypt *k, unsigned bytes)
{
	const struct cipher_size *c;

	for (c = cipher_sizes; c < cipher_sizes_end(); c++)
		if (!strcmp(c->name, k->spec.cipher) && cipher_takes(c, bytes) && !gcry_cipher_test_algo(c->algo)) {
			k->algo = c->algo;
			return true;
		}
	return false;
}

int crypt_cipher_aes(unsigned bytes)
{
	struct crypt with = { .spec = { .cipher = "aes" } };

	return crypt_cipher_find(&with, bytes) ? with.algo : 0;
}

void crypt_cipher_keys(const char *name, struct text *out)
{
	const struct cipher_size *c;
	const char *between = "";

	for (c = cipher_sizes; c < cipher_sizes_end(); c++)
		if (!strcmp(c->name, name)) {
			if (!c->key)
				text_printf(out, "%d to ", LEAST);
			text_printf(out, "%s%u", between, cipher_most(c));
			between = ", ";
		}
}

/* Checksums, of which libgcrypt has some, are none: Linux makes others by these names. */
int crypt_hash_find(const char *name)
{
	static const char *const names[][2] = {
		{ "wp512", "whirlpool" }, { "rmd160", "ripemd160" }, { "streebog256", "stribog256" },
		{ "streebog512", "stribog512" }, { "blake2b-256", "blake2b_256" }, { "blake2b-512", "blake2b_512" },
		{ "blake2s-256", "blake2s_256" },
	};
	int algo;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i][0], name))
			name = names[i][1];
	algo = gcry_md_map_name(name);
	return algo && !gcry_md_test_algo(algo) && gcry_md_get_algo_dlen(algo) >= CHECKSUM_MOST ? algo : 0;
}

static int library_mode(enum crypt_mode mode)
{
	static const int modes[] = {
		[CRYPT_ECB] = GCRY_CIPHER_MODE_ECB, [CRYPT_CBC] = GCRY_CIPHER_MODE_CBC,
		[CRYPT_CTR] = GCRY_CIPHER_MODE_CTR, [CRYPT_XTS] = GCRY_CIPHER_MODE_XTS, [CRYPT_GCM] = GCRY_CIPHER_MODE_GCM,
		[CRYPT_POLY1305] = GCRY_CIPHER_MODE_POLY1305, [CRYPT_CCM] = GCRY_CIPHER_MODE_CCM,
		[CRYPT_CTS] = GCRY_CIPHER_MODE_CBC,
		[CRYPT_LRW] = GCRY_CIPHER_MODE_ECB, [CRYPT_PCBC] = GCRY_CIPHER_MODE_ECB,
	};

	return modes[mode];
}

static int library_errno(gcry_error_t e)
{
	return gcry_err_code(e) == GPG_ERR_ENOMEM ? -ENOMEM : -EINVAL;
}

static int cipher_open(int algo, int mode, unsigned flags, gcry_cipher_hd_t *out)
{
	gcry_error_t e = gcry_cipher_open(out, algo, mode, GCRY_CIPHER_SECURE | flags);

	if (e)
		return library_errno(e);
	gcry_cipher_ctl(*out, GCRYCTL_SET_ALLOW_WEAK_KEY, NULL, 1);
	return 0;
}

int crypt_cipher_open(int algo, int mode, gcry_cipher_hd_t *out)
{
	return cipher_open(algo, mode, 0, out);
}

/* Ciphertext stealing is said here and not later: the library chooses its functions when a handle is opened. */
int crypt_cipher_open_data(const struct crypt *k, gcry_cipher_hd_t *out)
{
	return cipher_open(k->algo, library_mode(k->spec.mode), k->spec.mode == CRYPT_CTS ? GCRY_CIPHER_CBC_CTS : 0, out);
}

static int cipher_key(gcry_cipher_hd_t h, const void *key, size_t n, bool takes_weak)
{
	gcry_error_t e = gcry_cipher_setkey(h, key, n);

	return e && !(takes_weak && gcry_err_code(e) == GPG_ERR_WEAK_KEY) ? library_errno(e) : 0;
}

/* A weak key is the user's choice, as on Linux: it is in use all the same. */
int crypt_cipher_key(gcry_cipher_hd_t h, const void *key, size_t n)
{
	return cipher_key(h, key, n, true);
}

/* But in mode xts two halves that are the same are called weak only in FIPS mode, where they are not set; nor are they by Linux. */
int crypt_cipher_key_data(const struct crypt *k, gcry_cipher_hd_t h, const void *key, size_t n)
{
	return cipher_key(h, key, n, k->spec.mode != CRYPT_XTS);
}
