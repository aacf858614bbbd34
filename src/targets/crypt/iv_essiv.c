/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IVs that only who has the key can tell: the sector's number (essiv), or the position of its first byte (eboiv, BitLocker's),
 * encrypted. essiv does it with the same cipher and a hash of the key, eboiv with the data's own key and mode: the position is
 * the IV for a block of zeros, so in mode cbc it is what is encrypted.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "targets/crypt/crypt.h"

static void essiv_check(struct crypt *k, struct dm_args *a)
{
	struct crypt with = { .spec = k->spec };

	if (!*k->spec.hash) {
		dm_args_fail(a, "IV mode essiv needs a hash: essiv:sha256");
		return;
	}
	k->hash = crypt_hash_find(k->spec.hash);
	if (k->spec.mode == CRYPT_ECB)
		dm_args_fail(a, "IV mode essiv: mode ecb takes no IV");
	else if (!k->hash)
		crypt_refuse(a, -ENOENT, "IV mode essiv: libgcrypt has no hash '%.20s'", k->spec.hash);
	else if (k->spec.aead && !k->mac_algo)
		dm_args_fail(a, "IV mode essiv: with tags it is for authenc(hmac(HASH),MODE(CIPHER)) only");
	else if (k->spec.null || !crypt_cipher_find(&with, gcry_md_get_algo_dlen(k->hash)))
		dm_args_fail(a, "IV mode essiv: a %s hash has %u bytes, which is no key for %s", k->spec.hash,
			     gcry_md_get_algo_dlen(k->hash), k->spec.cipher);
}

/* A key of its own for each of the data's. */
static unsigned essiv_ciphers(const struct crypt *k)
{
	return k->spec.keys;
}

static int essiv_open(const struct crypt *k, unsigned i, gcry_cipher_hd_t *out)
{
	struct crypt with = { .spec = k->spec };

	(void)i;
	crypt_cipher_find(&with, gcry_md_get_algo_dlen(k->hash));
	return crypt_cipher_open(with.algo, GCRY_CIPHER_MODE_ECB, out);
}

static int essiv_set_key(const struct crypt *k, struct crypt_engine *e, unsigned i)
{
	unsigned n = crypt_subkey_size(k), size = gcry_md_get_algo_dlen(k->hash);
	gcry_md_hd_t h;
	int r;

	if (gcry_md_open(&h, k->hash, GCRY_MD_FLAG_SECURE))
		return -ENOMEM;
	gcry_md_write(h, k->key + i * n, n + k->mac_key);	/* an HMAC's is behind the cipher's, and there is one cipher then */
	r = crypt_cipher_key(e->iv[i], gcry_md_read(h, k->hash), size);
	gcry_md_close(h);
	return r;
}

static void essiv_before(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	memset(b->iv, 0, sizeof(b->iv));
	crypt_iv_number(b);
	b->failed = gcry_cipher_encrypt(e->iv[b->key], b->iv, k->iv_size, NULL, 0);
}

const struct crypt_iv crypt_iv_essiv = {
	.name = "essiv", .check = essiv_check, .ciphers = essiv_ciphers, .open = essiv_open, .set_key = essiv_set_key,
	.before = essiv_before,
};

static void eboiv_check(struct crypt *k, struct dm_args *a)
{
	if (k->spec.aead)
		dm_args_fail(a, "IV mode eboiv is not for ciphers with tags");
	else if (k->spec.mode == CRYPT_CTR || k->spec.null)
		dm_args_fail(a, "IV mode eboiv needs a cipher with blocks as long as its IV, and %s has none", k->spec.null ? "cipher_null" : "mode ctr");
}

static unsigned eboiv_ciphers(const struct crypt *k)
{
	(void)k;
	return 1;
}

static int eboiv_open(const struct crypt *k, unsigned i, gcry_cipher_hd_t *out)
{
	(void)i;
	return crypt_cipher_open(k->algo, k->spec.mode == CRYPT_XTS ? GCRY_CIPHER_MODE_XTS : GCRY_CIPHER_MODE_CBC, out);
}

static int eboiv_set_key(const struct crypt *k, struct crypt_engine *e, unsigned i)
{
	return crypt_cipher_key_data(k, e->iv[i], k->key, crypt_subkey_size(k) - crypt_subkey_beside(k));
}

/* The same in mode lrw, which the library lacks: the mask of that place is the block of zeros with the mask. */
static bool eboiv_lrw(const struct crypt *k, struct crypt_engine *e, uint8_t iv[CRYPT_BLOCK])
{
	uint8_t mask[CRYPT_BLOCK];
	bool fails;

	crypt_lrw_mask(k, 0, iv, mask);
	memcpy(iv, mask, sizeof(mask));
	fails = gcry_cipher_setiv(e->iv[0], NULL, 0) || gcry_cipher_encrypt(e->iv[0], iv, sizeof(mask), NULL, 0);
	for (unsigned i = 0; i < sizeof(mask); i++)
		iv[i] ^= mask[i];
	explicit_bzero(mask, sizeof(mask));
	return fails;
}

static void eboiv_before(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint64_t at = htole64(b->sector * k->sector);

	memset(b->iv, 0, sizeof(b->iv));
	memcpy(b->iv, &at, sizeof(at));
	if (k->spec.mode == CRYPT_LRW) {
		b->failed = eboiv_lrw(k, e, b->iv);
		return;
	}
	b->failed = gcry_cipher_setiv(e->iv[0], b->iv, k->iv_size);
	memset(b->iv, 0, k->iv_size);
	b->failed |= gcry_cipher_encrypt(e->iv[0], b->iv, k->iv_size, NULL, 0) != 0;
}

const struct crypt_iv crypt_iv_eboiv = {
	.name = "eboiv", .check = eboiv_check, .ciphers = eboiv_ciphers, .open = eboiv_open, .set_key = eboiv_set_key,
	.before = eboiv_before,
};
