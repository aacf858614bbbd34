/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modes that libgcrypt lacks, over its block ciphers: how the blocks of a sector hang together.
 *
 *   lrw     each block is masked before and after with T = tweak key * number of the block, in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1,
 *           where bits are in the order of big-endian numbers. The IV is the number of the first block
 *   pcbc    as cbc, but each block is mixed with the plain text of the one before, too
 *
 * Numbers of blocks are no secret; nothing else decides about a branch or a place in memory.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "targets/crypt/crypt.h"

#define SECTOR_MOST 4096u		/* bytes */
#define STEPS 9u			/* as many low bits of a number change within most sectors */

struct field {				/* an element of GF(2^128) */
	uint64_t high, low;
};

static struct field field_get(const uint8_t *bytes)
{
	uint64_t n[2];

	memcpy(n, bytes, sizeof(n));
	return (struct field){ be64toh(n[0]), be64toh(n[1]) };
}

static void field_put(struct field a, uint8_t *bytes)
{
	uint64_t n[2] = { htobe64(a.high), htobe64(a.low) };

	memcpy(bytes, n, sizeof(n));
}

static struct field field_sum(struct field a, struct field b)
{
	return (struct field){ a.high ^ b.high, a.low ^ b.low };
}

/* A * x */
static struct field field_double(struct field a)
{
	uint64_t carry = 0 - (a.high >> 63);

	return (struct field){ a.high << 1 | a.low >> 63, a.low << 1 ^ (carry & 0x87) };
}

/* A * N */
static struct field field_times(struct field a, struct field n)
{
	struct field sum = { 0, 0 };
	unsigned bit;

	for (bit = 128; bit-- > 0;) {
		sum = field_double(sum);
		if ((bit < 64 ? n.low >> bit : n.high >> (bit - 64)) & 1)
			sum = field_sum(sum, a);
	}
	return sum;
}

/* N and the number behind it differ in their last bits, which are ones in N ^ (N + 1): how many, less one. */
static unsigned bits_that_change(struct field n)
{
	return n.low == UINT64_MAX ? STEPS : (unsigned)__builtin_ctzll(~n.low);
}

static struct field number_after(struct field n)
{
	n.low++;
	n.high += !n.low;
	return n;
}

/* The masks of COUNT blocks, of which N is the first one's number. */
static void masks_make(const uint8_t *key, struct field n, unsigned count, uint8_t *out)
{
	struct field a = field_get(key), power = a, step[STEPS], mask = field_times(a, n);
	unsigned i, bits;

	step[0] = a;
	for (i = 1; i < STEPS; i++) {
		power = field_double(power);
		step[i] = field_sum(step[i - 1], power);
	}
	for (i = 0; i < count; i++, n = number_after(n)) {
		field_put(mask, out + (size_t)i * CRYPT_BLOCK);
		bits = bits_that_change(n);
		mask = bits < STEPS ? field_sum(mask, step[bits]) : field_times(a, number_after(n));
	}
	explicit_bzero(step, sizeof(step));
}

static void mix(uint8_t *out, const uint8_t *a, const uint8_t *b, unsigned n)
{
	uint64_t x, y;

	for (; n >= sizeof(x); n -= sizeof(x), out += sizeof(x), a += sizeof(x), b += sizeof(x)) {
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		x ^= y;
		memcpy(out, &x, sizeof(x));
	}
}

static int library_blocks(gcry_cipher_hd_t h, bool encrypts, uint8_t *bytes, unsigned n)
{
	gcry_error_t err = encrypts ? gcry_cipher_encrypt(h, bytes, n, NULL, 0) : gcry_cipher_decrypt(h, bytes, n, NULL, 0);

	return err ? -EIO : 0;
}

/* The tweak key is behind the cipher's. */
static const uint8_t *lrw_key(const struct crypt *k, unsigned key)
{
	return k->key + (size_t)(key + 1) * crypt_subkey_size(k) - CRYPT_BLOCK;
}

void crypt_lrw_mask(const struct crypt *k, unsigned key, const uint8_t iv[CRYPT_BLOCK], uint8_t out[CRYPT_BLOCK])
{
	masks_make(lrw_key(k, key), field_get(iv), 1, out);
}

static int lrw(const struct crypt *k, gcry_cipher_hd_t h, const struct crypt_block *b)
{
	uint8_t masks[SECTOR_MOST];
	int err;

	masks_make(lrw_key(k, b->key), field_get(b->iv), k->sector / CRYPT_BLOCK, masks);
	mix(b->out, b->in, masks, k->sector);
	err = library_blocks(h, b->encrypts, b->out, k->sector);
	mix(b->out, b->out, masks, k->sector);
	explicit_bzero(masks, k->sector);
	return err;
}

static int pcbc(const struct crypt *k, gcry_cipher_hd_t h, const struct crypt_block *b)
{
	uint8_t in[CRYPT_BLOCK], before[CRYPT_BLOCK], *out;
	unsigned at;
	int err = 0;

	memcpy(before, b->iv, k->block);
	for (at = 0; at < k->sector && !err; at += k->block) {
		out = b->out + at;
		memcpy(in, b->in + at, k->block);
		if (b->encrypts)
			mix(out, in, before, k->block);
		else
			memcpy(out, in, k->block);
		err = library_blocks(h, b->encrypts, out, k->block);
		if (!b->encrypts)
			mix(out, out, before, k->block);
		mix(before, in, out, k->block);
	}
	explicit_bzero(in, sizeof(in));
	explicit_bzero(before, sizeof(before));
	return err;
}

static void swap_last(const struct crypt *k, uint8_t *bytes)
{
	uint8_t last = bytes[k->sector - 1];

	bytes[k->sector - 1] = bytes[k->sector - 2];
	bytes[k->sector - 2] = last;
}

/* Each byte is changed by those before it, as modes that chain blocks do it. */
void crypt_null(const struct crypt *k, const struct crypt_block *b)
{
	uint8_t before = b->iv[0], in, out;
	unsigned at;

	if (b->in != b->out)
		memcpy(b->out, b->in, k->sector);
	if (k->spec.mode == CRYPT_ECB)
		return;
	if (k->spec.mode == CRYPT_CTS && !b->encrypts)
		swap_last(k, b->out);
	for (at = 0; at < k->sector; at++, before = k->spec.mode == CRYPT_PCBC ? in ^ out : b->encrypts ? out : in) {
		in = b->out[at];
		b->out[at] = out = in ^ before;
	}
	if (k->spec.mode == CRYPT_CTS && b->encrypts)
		swap_last(k, b->out);
}

int crypt_chain(const struct crypt *k, struct crypt_engine *e, const struct crypt_block *b)
{
	return k->spec.mode == CRYPT_LRW ? lrw(k, e->data[b->key], b) : pcbc(k, e->data[b->key], b);
}
