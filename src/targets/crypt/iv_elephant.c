/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elephant: the diffuser of BitLocker before Windows 8 (N. Ferguson, "AES-CBC + Elephant diffuser", 2006), with the IV of
 * eboiv. The second half of the key makes 32 bytes for each sector, by which the text is changed; two diffusers, which have no
 * key, then spread every bit of it over the sector, before AES-CBC. Decrypting is the same backwards. Linux takes it with other
 * ciphers and modes, too; the second half is always a key of AES.
 *
 *   diffuser A, decrypting: d[i] += d[i - 2] ^ rotl(d[i - 5], 9 0 13 0)   5 times over the sector's 32-bit words
 *   diffuser B, decrypting: d[i] += d[i + 2] ^ rotl(d[i + 5], 0 10 0 25)  3 times; indices wrap around
 */
#include <endian.h>
#include <string.h>

#include "targets/crypt/crypt.h"

#define ELEPHANT_KEY 32u		/* bytes for a sector */

static void elephant_check(struct crypt *k, struct dm_args *a)
{
	k->extra = k->key_size / 2;
	if (k->spec.aead)
		dm_args_fail(a, "IV mode elephant is not for ciphers with tags");
	else if (k->key_size % 2 || !crypt_cipher_aes(k->extra))
		dm_args_fail(a, "IV mode elephant takes half of the key, as a key of AES: 16, 24 or 32 bytes; there are %u bytes in all", k->key_size);
	else
		crypt_iv_eboiv.check(k, a);
}

/* The first is for the IV, the second for the sector's key. */
static unsigned elephant_ciphers(const struct crypt *k)
{
	(void)k;
	return 2;
}

static int elephant_open(const struct crypt *k, unsigned i, gcry_cipher_hd_t *out)
{
	if (!i)
		return crypt_iv_eboiv.open(k, i, out);
	return crypt_cipher_open(crypt_cipher_aes(k->extra), GCRY_CIPHER_MODE_CBC, out);
}

static int elephant_set_key(const struct crypt *k, struct crypt_engine *e, unsigned i)
{
	return i ? crypt_cipher_key(e->iv[i], k->key + k->key_size - k->extra, k->extra) : crypt_iv_eboiv.set_key(k, e, i);
}

static uint32_t rotl(uint32_t x, unsigned n)
{
	return n ? x << n | x >> (32 - n) : x;
}

static const unsigned turns_a[4] = { 9, 0, 13, 0 }, turns_b[4] = { 0, 10, 0, 25 };

static void diffuse_b_back(uint32_t *d, unsigned n)
{
	for (unsigned i = 0; i < 3 * n; i++)
		d[i % n] += d[(i + 2) % n] ^ rotl(d[(i + 5) % n], turns_b[i % 4]);
}

static void diffuse_a_back(uint32_t *d, unsigned n)
{
	for (unsigned i = 0; i < 5 * n; i++)
		d[i % n] += d[(i + n - 2) % n] ^ rotl(d[(i + n - 5) % n], turns_a[i % 4]);
}

static void diffuse_a(uint32_t *d, unsigned n)
{
	for (unsigned i = 5 * n; i-- > 0;)
		d[i % n] -= d[(i + n - 2) % n] ^ rotl(d[(i + n - 5) % n], turns_a[i % 4]);
}

static void diffuse_b(uint32_t *d, unsigned n)
{
	for (unsigned i = 3 * n; i-- > 0;)
		d[i % n] -= d[(i + 2) % n] ^ rotl(d[(i + 5) % n], turns_b[i % 4]);
}

static void elephant_words(uint32_t *d, const uint8_t *data, unsigned n)
{
	memcpy(d, data, n * sizeof(*d));
	for (unsigned i = 0; i < n; i++)
		d[i] = le32toh(d[i]);
}

static void elephant_bytes(uint8_t *data, uint32_t *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		d[i] = htole32(d[i]);
	memcpy(data, d, n * sizeof(*d));
}

/* The position of the sector's first byte, and the same with the last byte 0x80, encrypted. */
static bool elephant_sector_key(const struct crypt *k, struct crypt_engine *e, uint64_t sector, uint8_t key[ELEPHANT_KEY])
{
	uint64_t at = htole64(sector * k->sector);
	bool fails = false;

	memset(key, 0, ELEPHANT_KEY);
	memcpy(key, &at, sizeof(at));
	memcpy(key + CRYPT_BLOCK, &at, sizeof(at));
	key[ELEPHANT_KEY - 1] = 0x80;
	for (unsigned i = 0; i < ELEPHANT_KEY; i += CRYPT_BLOCK) {
		fails |= gcry_cipher_setiv(e->iv[1], NULL, 0) != 0;	/* zeros: a block for itself */
		fails |= gcry_cipher_encrypt(e->iv[1], key + i, CRYPT_BLOCK, NULL, 0) != 0;
	}
	return fails;
}

static void elephant_xor(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint8_t key[ELEPHANT_KEY];

	b->failed |= elephant_sector_key(k, e, b->sector, key);
	for (unsigned i = 0; i < k->sector; i++)
		b->out[i] ^= key[i % ELEPHANT_KEY];
	explicit_bzero(key, sizeof(key));
}

static void elephant_before(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint32_t d[4096 / sizeof(uint32_t)];
	unsigned n = k->sector / sizeof(*d);

	crypt_iv_eboiv.before(k, e, b);
	if (!b->encrypts)
		return;
	if (b->in != b->out)
		memcpy(b->out, b->in, k->sector);
	b->in = b->out;
	elephant_xor(k, e, b);
	elephant_words(d, b->out, n);
	diffuse_a(d, n);
	diffuse_b(d, n);
	elephant_bytes(b->out, d, n);
}

static void elephant_after(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint32_t d[4096 / sizeof(uint32_t)];
	unsigned n = k->sector / sizeof(*d);

	if (b->encrypts)
		return;
	elephant_words(d, b->out, n);
	diffuse_b_back(d, n);
	diffuse_a_back(d, n);
	elephant_bytes(b->out, d, n);
	elephant_xor(k, e, b);
}

const struct crypt_iv crypt_iv_elephant = {
	.name = "elephant", .check = elephant_check, .ciphers = elephant_ciphers, .open = elephant_open,
	.set_key = elephant_set_key, .before = elephant_before, .after = elephant_after,
};
