/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lmk, the IV of loop-AES: a hash of the sector's plain text behind its first 16 bytes, with the sector's number. Version 2
 * has a key for each of 64 sectors in turn, version 3 another one that is hashed first.
 *
 *   MD5 block function over: [seed, 16 bytes and 48 zeros] text[16..511] number's low 32 bits, its next 24 bits | 1 << 31, 4024, 0
 *
 * It is MD5 without the padding at its end: what is hashed are whole blocks of 64 bytes, and the IV is the state after the
 * last. Nettle's interface has the state; that of libgcrypt has it not.
 *
 * Who reads does not have the text yet: it is decrypted with an IV of zeros, after which only the first block is wrong, by the IV.
 */
#include <endian.h>
#include <string.h>

#include <nettle/md5.h>

#include "targets/crypt/crypt.h"

#define LMK_BLOCK 64u
#define LMK_SEED 16u
#define LMK_SECTOR 512u

static void lmk_check(struct crypt *k, struct dm_args *a)
{
	unsigned keys = k->spec.keys;

	if (k->spec.null || (k->spec.mode != CRYPT_CBC && k->spec.mode != CRYPT_CTS))
		dm_args_fail(a, "IV mode lmk needs a cipher in mode cbc, as loop-AES has it: in others nothing could be read again");
	if (k->sector != LMK_SECTOR)
		dm_args_fail(a, "IV mode lmk is for sectors of 512 bytes");
	k->seeded = k->key_size % keys != 0;
	if (!k->seeded)
		return;
	k->extra = k->key_size / (keys + 1);
	if (k->key_size % (keys + 1) || k->extra < LMK_SEED)
		dm_args_fail(a, "IV mode lmk: %u bytes of key are neither for %u ciphers nor for one more", k->key_size, keys);
}

/* The seed is in the part behind the keys. */
static void lmk_hash_seed(const struct crypt *k, struct md5_ctx *m)
{
	uint8_t block[LMK_BLOCK] = { 0 };

	memcpy(block, k->key + (k->key_size - k->extra), LMK_SEED);
	md5_update(m, sizeof(block), block);
	explicit_bzero(block, sizeof(block));
}

static void lmk_iv(const struct crypt *k, uint64_t sector, const uint8_t *text, uint8_t iv[CRYPT_BLOCK])
{
	uint32_t tail[4] = { htole32((uint32_t)sector), htole32(((uint32_t)(sector >> 32) & 0x00ffffff) | 0x80000000), htole32(4024), 0 };
	struct md5_ctx m;
	unsigned i;
	uint32_t word;

	md5_init(&m);
	if (k->seeded)
		lmk_hash_seed(k, &m);
	md5_update(&m, LMK_SECTOR - CRYPT_BLOCK, text + CRYPT_BLOCK);
	md5_update(&m, sizeof(tail), (const uint8_t *)tail);
	for (i = 0; i < 4; i++) {
		word = htole32(m.state[i]);
		memcpy(iv + 4 * i, &word, sizeof(word));
	}
}

static void lmk_before(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)e;
	if (b->encrypts)
		lmk_iv(k, b->sector, b->in, b->iv);
}

static void lmk_after(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint8_t iv[CRYPT_BLOCK];
	unsigned i;

	(void)e;
	if (b->encrypts)
		return;
	lmk_iv(k, b->sector, b->out, iv);
	for (i = 0; i < k->iv_size; i++)
		b->out[i] ^= iv[i];
}

const struct crypt_iv crypt_iv_lmk = { .name = "lmk", .check = lmk_check, .before = lmk_before, .after = lmk_after };
