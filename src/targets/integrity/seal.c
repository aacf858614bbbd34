/* SPDX-License-Identifier: BSD-2-Clause */
/* How the journal is sealed: see seal.h. */
#include "targets/integrity/seal.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/gcrypt_begin.h"
#include "base/secret.h"

#define BLOCK 16u			/* of the ciphers that are offered */
#define PAGE 4096u			/* the stream is rounded up to it */
#define SECTOR 512u

struct seal {
	const struct iformat *f;
	struct ihash *mac;
	const uint8_t *salt;
	gcry_cipher_hd_t cipher;	/* NULL: none */
	bool stream;
	size_t bytes;			/* of a section */
	uint64_t ids[IFORMAT_COMMITS];	/* as they lie in memory */
	uint8_t *buffer;		/* an encrypted section */
};

/* --- words ---------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int by_key[3];			/* of 16, 24 and 32 bytes */
} algos[] = {
	{ "aes", { GCRY_CIPHER_AES128, GCRY_CIPHER_AES192, GCRY_CIPHER_AES256 } },
	{ "serpent", { GCRY_CIPHER_SERPENT128, GCRY_CIPHER_SERPENT192, GCRY_CIPHER_SERPENT256 } },
	{ "twofish", { GCRY_CIPHER_TWOFISH128, 0, GCRY_CIPHER_TWOFISH } },
	{ "camellia", { GCRY_CIPHER_CAMELLIA128, GCRY_CIPHER_CAMELLIA192, GCRY_CIPHER_CAMELLIA256 } },
};

static const struct {
	const char *name;
	int mode;
	bool stream;
} modes[] = {
	{ "cbc", GCRY_CIPHER_MODE_CBC, false }, { "ctr", GCRY_CIPHER_MODE_CTR, true }, { "xts", GCRY_CIPHER_MODE_XTS, false },
};

/* BYTES of one of the keys. */
static int algo_of(const char *name, size_t n, unsigned bytes)
{
	for (size_t i = 0; i < sizeof(algos) / sizeof(*algos); i++)
		if (strlen(algos[i].name) == n && !strncmp(algos[i].name, name, n))
			return bytes % 8 || bytes < 16 || bytes > 32 ? 0 : algos[i].by_key[bytes / 8 - 2];
	return 0;
}

static int cipher_words(struct seal_cipher *c, const char *word, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		size_t len = strlen(modes[i].name);

		if (strncmp(word, modes[i].name, len) || word[len] != '(' || word[n - 1] != ')')
			continue;
		c->mode = modes[i].mode;
		c->stream = modes[i].stream;
		c->algo = algo_of(word + len + 1, n - len - 2, c->mode == GCRY_CIPHER_MODE_XTS ? c->key_size / 2 : c->key_size);
		if (c->algo)
			return 0;
	}
	c->algo = 0;
	return err_set(e, -EINVAL, "%.*s with a key of %u bytes is no cipher for a journal: aes, serpent, twofish and camellia are, in the modes "
			"cbc, ctr and xts: cbc(aes)", (int)(n < 40 ? n : 40), word, c->key_size);
}

int seal_cipher_find(struct seal_cipher *c, const char *word, struct err *e)
{
	const char *colon = strchr(word, ':');
	int n;

	*c = (struct seal_cipher){ .algo = 0 };
	if (gcrypt_begin(e))
		return e->code;
	if (!colon)
		return err_set(e, -EINVAL, "the cipher of a journal needs a key, behind a colon, in hexadecimal digits");
	c->key = secret_alloc(IHASH_KEY_MOST);
	if (!c->key)
		return err_set(e, -ENOMEM, "no memory for a key");
	n = ihash_key_read(colon + 1, c->key, IHASH_KEY_MOST);
	if (n <= 0)
		return err_set(e, -EINVAL, "the key behind the colon has %zu characters; it has two hexadecimal digits for each byte", strlen(colon + 1));
	c->key_size = (unsigned)n;
	return cipher_words(c, word, (size_t)(colon - word), e);
}

void seal_cipher_free(struct seal_cipher *c)
{
	secret_free(c->key);
	c->key = NULL;
}

/* --- beginning ------------------------------------------------------------------------------------------------------------ */

static size_t stream_end(const struct seal *s)
{
	return (s->bytes * s->f->sections + PAGE - 1) / PAGE * PAGE;
}

/* BYTES at AT of the stream. */
static void stream_xor(struct seal *s, size_t at, uint8_t *out, const uint8_t *in, size_t bytes)
{
	uint8_t counter[BLOCK] = { 0 };
	uint64_t n = htobe64(at / BLOCK);

	memcpy(counter + 8, &n, sizeof(n));
	gcry_cipher_setctr(s->cipher, counter, sizeof(counter));
	gcry_cipher_encrypt(s->cipher, out, bytes, in, bytes);
}

/* No two are the same, whatever the stream has made of them. */
static void ids_differ(struct seal *s)
{
	unsigned i, k;

	for (i = 0; i < IFORMAT_COMMITS; i++)
		for (k = 0; k < i; k++)
			if (s->ids[k] == s->ids[i]) {
				s->ids[i] = htole64(le64toh(s->ids[i]) + 1);
				k = (unsigned)-1;
			}
}

static int cipher_begin(struct seal *s, const struct seal_cipher *c)
{
	if (gcry_cipher_open(&s->cipher, c->algo, c->mode, GCRY_CIPHER_SECURE))
		return -ENOMEM;
	s->stream = c->stream;
	s->buffer = aligned_alloc(PAGE, (s->bytes + PAGE - 1) / PAGE * PAGE);
	if (!s->buffer)
		return -ENOMEM;
	return gcry_cipher_setkey(s->cipher, c->key, c->key_size) ? -EINVAL : 0;
}

int seal_new(struct seal **out, const struct iformat *f, struct ihash *mac, const uint8_t *salt, const struct seal_cipher *c,
	     struct err *e)
{
	struct seal *s = calloc(1, sizeof(*s));
	unsigned i;
	int err;

	if (!s)
		return err_set(e, -ENOMEM, "no memory for a journal");
	*s = (struct seal){ .f = f, .mac = mac, .salt = salt, .bytes = (size_t)f->section_sectors * SECTOR };
	for (i = 0; i < IFORMAT_COMMITS; i++)
		s->ids[i] = htole64(UINT64_C(0x1111111111111111) * (i + 1));
	err = c->algo ? cipher_begin(s, c) : 0;
	if (err) {
		seal_free(s);
		return err_set(e, err, "libgcrypt cannot encrypt a journal: %s", strerror(-err));
	}
	if (s->stream)
		stream_xor(s, stream_end(s), (uint8_t *)s->ids, (uint8_t *)s->ids, sizeof(s->ids));
	ids_differ(s);
	*out = s;
	return 0;
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	gcry_cipher_close(s->cipher);
	free(s->buffer);
	free(s);
}

uint64_t seal_commit_id(const struct seal *s, uint32_t section, uint32_t sector, unsigned seq)
{
	return s->ids[seq] ^ htole64((uint64_t)section << 32 ^ sector);
}

/* --- MAC ------------------------------------------------------------------------------------------------------------------ */

static void section_mac(struct seal *s, uint32_t section, uint8_t *memory, uint8_t out[IFORMAT_MAC])
{
	uint64_t number = htole64(section);
	struct ihash_state *h = ihash_take(s->mac);
	unsigned i;

	ihash_begin(h);
	if (s->salt) {
		ihash_add(h, s->salt, IFORMAT_SALT);
		ihash_add(h, &number, sizeof(number));
	}
	for (i = 0; i < s->f->per_section; i++)
		ihash_add(h, iformat_entry(s->f, memory, i), 8);
	memset(out, 0, IFORMAT_MAC);
	ihash_end(h, out);
	ihash_give(s->mac, h);
}

static uint8_t *mac_part(uint8_t *memory, unsigned i)
{
	return memory + (size_t)i * SECTOR + IFORMAT_SECTOR_DATA - IFORMAT_MAC_PART;
}

bool seal_is_signed(struct seal *s, uint32_t section, uint8_t *memory)
{
	uint8_t mac[IFORMAT_MAC], other = 0;
	unsigned i, k;

	if (!s->mac)
		return true;
	section_mac(s, section, memory, mac);
	for (i = 0; i < IFORMAT_ENTRY_SECTORS; i++)
		for (k = 0; k < IFORMAT_MAC_PART; k++)
			other |= mac[i * IFORMAT_MAC_PART + k] ^ mac_part(memory, i)[k];
	return !other;
}

/* --- encryption ----------------------------------------------------------------------------------------------------------- */

static void section_iv(struct seal *s, uint32_t section)
{
	uint8_t iv[BLOCK] = { 0 };
	uint32_t number = htole32(section);

	gcry_cipher_setiv(s->cipher, iv, sizeof(iv));
	memcpy(iv, &number, sizeof(number));
	gcry_cipher_encrypt(s->cipher, iv, sizeof(iv), NULL, 0);
	gcry_cipher_setiv(s->cipher, iv, sizeof(iv));
}

const uint8_t *seal_close(struct seal *s, uint32_t section, uint8_t *memory)
{
	uint8_t mac[IFORMAT_MAC];
	unsigned i;

	if (s->mac) {
		section_mac(s, section, memory, mac);
		for (i = 0; i < IFORMAT_ENTRY_SECTORS; i++)
			memcpy(mac_part(memory, i), mac + i * IFORMAT_MAC_PART, IFORMAT_MAC_PART);
	}
	if (!s->cipher)
		return memory;
	if (s->stream) {
		stream_xor(s, section * s->bytes, s->buffer, memory, s->bytes);
	} else {
		section_iv(s, section);
		gcry_cipher_encrypt(s->cipher, s->buffer, s->bytes, memory, s->bytes);
	}
	return s->buffer;
}

void seal_open(struct seal *s, uint32_t section, uint8_t *memory)
{
	if (!s->cipher)
		return;
	if (s->stream) {
		stream_xor(s, section * s->bytes, memory, memory, s->bytes);
	} else {
		section_iv(s, section);
		gcry_cipher_decrypt(s->cipher, memory, s->bytes, NULL, 0);
	}
}
