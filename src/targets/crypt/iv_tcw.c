/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcw, that of old TrueCrypt volumes: behind the cipher's key are a seed for the IV and 16 bytes for the whitening, which is
 * 8 bytes by which the whole sector of cipher text is changed. Both depend on the sector's number.
 *
 *   IV         seed xor number (little endian, 8 bytes, repeated)
 *   whitening  w = key part xor number, repeated; each 4 bytes of w become their CRC-32 (from 0, not inverted);
 *              then the first 4 xor the last 4, and the second 4 xor the third 4
 */
#include <endian.h>
#include <string.h>

#include "targets/crypt/crypt.h"

#define TCW_WHITENING 16u
#define TCW_SECTOR 512u

static void tcw_check(struct crypt *k, struct dm_args *a)
{
	k->extra = k->iv_size + TCW_WHITENING;
	if (k->spec.null || k->iv_size < sizeof(uint64_t))
		dm_args_fail(a, "IV mode tcw needs a cipher with an IV");
	else if (k->sector != TCW_SECTOR)
		dm_args_fail(a, "IV mode tcw is for sectors of 512 bytes");
	else if (k->key_size <= k->extra)
		dm_args_fail(a, "IV mode tcw takes the last %u bytes of the key, and there are %u", k->extra, k->key_size);
}

/* Polynomial 0xedb88320, which is that of zlib. Four bytes, bit by bit: it is done for 16 bytes a sector. */
static uint32_t tcw_crc(uint32_t word)
{
	unsigned bit;

	for (bit = 0; bit < 32; bit++)
		word = word >> 1 ^ (word & 1 ? 0xedb88320u : 0);
	return word;
}

static void tcw_whiten(const struct crypt *k, uint64_t sector, uint8_t *data)
{
	uint64_t number = htole64(sector), white, word;
	uint32_t w[4];
	uint8_t part[TCW_WHITENING];
	unsigned i;

	memcpy(part, k->key + k->key_size - TCW_WHITENING, sizeof(part));
	for (i = 0; i < sizeof(part); i++)
		part[i] ^= ((const uint8_t *)&number)[i % sizeof(number)];
	memcpy(w, part, sizeof(w));
	for (i = 0; i < 4; i++)
		w[i] = htole32(tcw_crc(le32toh(w[i])));
	w[0] ^= w[3];
	w[1] ^= w[2];
	memcpy(&white, w, sizeof(white));
	for (i = 0; i < TCW_SECTOR; i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		word ^= white;
		memcpy(data + i, &word, sizeof(word));
	}
	explicit_bzero(part, sizeof(part));
	explicit_bzero(w, sizeof(w));
	explicit_bzero(&white, sizeof(white));
}

static void tcw_before(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	const uint8_t *seed = k->key + k->key_size - k->extra;
	uint64_t number = htole64(b->sector);
	unsigned i;

	(void)e;
	for (i = 0; i < k->iv_size; i++)
		b->iv[i] = seed[i] ^ ((const uint8_t *)&number)[i % sizeof(number)];
	if (b->encrypts)
		return;
	if (b->in != b->out)
		memcpy(b->out, b->in, k->sector);
	b->in = b->out;
	tcw_whiten(k, b->sector, b->out);
}

static void tcw_after(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)e;
	if (b->encrypts)
		tcw_whiten(k, b->sector, b->out);
}

const struct crypt_iv crypt_iv_tcw = { .name = "tcw", .check = tcw_check, .before = tcw_before, .after = tcw_after };
