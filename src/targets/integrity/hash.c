/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests for tags: see hash.h. */
#include "targets/integrity/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL			/* the header has all of it: there is no library to link with */
#include <xxhash.h>

#include "base/crc32c.h"
#include "base/digest.h"
#include "base/gcrypt_begin.h"
#include "base/hex.h"
#include "base/secret.h"

/* --- names --------------------------------------------------------------------------------------------------------------- */

int ihash_key_read(const char *text, uint8_t *out, unsigned most)
{
	size_t n = strlen(text);

	return n % 2 || n / 2 > most || hex_read(text, out, n / 2) < n / 2 ? -EINVAL : (int)(n / 2);
}

static int find_digest(struct ihash *h, const char *name, enum ihash_kind kind, struct err *e)
{
	struct digest d;

	if (digest_find(&d, name, e))
		return e->code;
	if (!d.algo)
		return err_set(e, -EINVAL, "%s is a checksum, of which there is no hmac", name);
	h->kind = kind;
	h->algo = d.algo;
	h->size = d.size;
	return 0;
}

/* "hmac(sha256)" */
static int find_hmac(struct ihash *h, const char *name, struct err *e)
{
	char inner[32];
	size_t n = strlen(name) - strlen("hmac()");

	if (n >= sizeof(inner))
		return err_set(e, -EINVAL, "there is no digest '%.60s'", name);
	memcpy(inner, name + strlen("hmac("), n);
	inner[n] = '\0';
	return find_digest(h, inner, IHASH_HMAC, e);
}

static int find_name(struct ihash *h, const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (!strcmp(name, "crc32"))
		*h = (struct ihash){ .kind = IHASH_CRC32, .algo = GCRY_MD_CRC32_RFC1510, .size = 4 };
	else if (!strcmp(name, "crc32c"))
		*h = (struct ihash){ .kind = IHASH_CRC32C, .size = 4 };
	else if (!strcmp(name, "xxhash64"))
		*h = (struct ihash){ .kind = IHASH_XXHASH64, .size = 8 };
	else if (n > strlen("hmac()") && !strncmp(name, "hmac(", 5) && name[n - 1] == ')')
		return find_hmac(h, name, e);
	else
		return find_digest(h, name, IHASH_DIGEST, e);
	return 0;
}

static int find_key(struct ihash *h, const char *name, const char *key, struct err *e)
{
	int n;

	if (!key && h->kind == IHASH_HMAC)
		return err_set(e, -ENOKEY, "%s needs a key, behind a colon, in hexadecimal digits", name);
	if (!key)
		return 0;
	if (h->kind == IHASH_DIGEST || h->kind == IHASH_CRC32)
		return err_set(e, -EINVAL, "%s takes no key; hmac(sha256) does", name);
	h->key = secret_alloc(IHASH_KEY_MOST);
	if (!h->key)
		return err_set(e, -ENOMEM, "no memory for a key");
	n = ihash_key_read(key, h->key, IHASH_KEY_MOST);
	if (n <= 0)
		return err_set(e, -EINVAL, "the key of %s has %zu characters; it has two hexadecimal digits for each byte, of which there are %u at most",
			       name, strlen(key), IHASH_KEY_MOST);
	if (h->kind != IHASH_HMAC && (unsigned)n != h->size)
		return err_set(e, -EINVAL, "the key of %s, with which it begins, has %u bytes and not %d", name, h->size, n);
	h->key_size = (unsigned)n;
	return 0;
}

int ihash_find(struct ihash *h, const char *word, struct err *e)
{
	const char *colon = strchr(word, ':');
	size_t n = colon ? (size_t)(colon - word) : strlen(word);
	char name[64];
	int r;

	*h = (struct ihash){ .kind = IHASH_NONE };
	if (n >= sizeof(name))
		return err_set(e, -EINVAL, "there is no digest with a name of %zu characters", n);
	memcpy(name, word, n);
	name[n] = '\0';
	r = find_name(h, name, e);
	if (!r)
		r = find_key(h, name, colon ? colon + 1 : NULL, e);
	if (r)
		h->kind = IHASH_NONE;
	return r;
}

/* --- states -------------------------------------------------------------------------------------------------------------- */

static bool has_md(const struct ihash *h)
{
	return h->kind == IHASH_CRC32 || h->kind >= IHASH_DIGEST;
}

static int state_open(struct ihash *h, struct ihash_state *s)
{
	unsigned flags = h->kind == IHASH_HMAC ? GCRY_MD_FLAG_HMAC | GCRY_MD_FLAG_SECURE : 0;

	s->hash = h;
	if (!has_md(h))
		return 0;
	if (gcry_md_open(&s->md, h->algo, flags))
		return -ENOMEM;
	return h->kind == IHASH_HMAC && gcry_md_setkey(s->md, h->key, h->key_size) ? -EINVAL : 0;
}

int ihash_open(struct ihash *h, unsigned n_io, unsigned others, struct err *e)
{
	unsigned i;
	int r = gcrypt_begin(e);

	if (r)
		return r;
	pthread_mutex_init(&h->lock, NULL);
	h->states = calloc(n_io + others, sizeof(*h->states));
	if (!h->states)
		return err_set(e, -ENOMEM, "no memory for %u digests", n_io + others);
	h->n_io = n_io;
	h->n = n_io + others;
	for (i = 0; i < h->n && !r; i++)
		r = state_open(h, &h->states[i]);
	for (i = n_io; i < h->n; i++)
		ihash_give(h, &h->states[i]);
	return r ? err_set(e, r, "libgcrypt cannot make a digest: %s", strerror(-r)) : 0;
}

void ihash_free(struct ihash *h)
{
	unsigned i;

	for (i = 0; i < h->n; i++)
		gcry_md_close(h->states[i].md);
	if (h->states) {
		pthread_mutex_destroy(&h->lock);
		explicit_bzero(h->states, h->n * sizeof(*h->states));	/* a checksum that begins with its key */
	}
	free(h->states);
	h->states = NULL;
	h->n = 0;
	secret_free(h->key);
	h->key = NULL;
}

struct ihash_state *ihash_take(struct ihash *h)
{
	struct ihash_state *s;

	pthread_mutex_lock(&h->lock);
	s = h->idle;
	h->idle = s->next;
	pthread_mutex_unlock(&h->lock);
	return s;
}

void ihash_give(struct ihash *h, struct ihash_state *s)
{
	pthread_mutex_lock(&h->lock);
	s->next = h->idle;
	h->idle = s;
	pthread_mutex_unlock(&h->lock);
}

_Static_assert(sizeof(XXH64_state_t) <= IHASH_XX * sizeof(uint64_t), "the state of xxhash64 has room");

static XXH64_state_t *xx_state(struct ihash_state *s)
{
	return (XXH64_state_t *)(void *)s->xx;
}

/* --- computing ----------------------------------------------------------------------------------------------------------- */

/* Checksums begin with their key, if they have one. */
static uint64_t hash_seed(const struct ihash *h)
{
	uint64_t seed = 0;

	memcpy(&seed, h->key, h->key_size);
	return le64toh(seed);
}

void ihash_begin(struct ihash_state *s)
{
	const struct ihash *h = s->hash;

	if (h->kind == IHASH_CRC32C)
		s->crc = h->key_size ? ~(uint32_t)hash_seed(h) : 0;
	else if (h->kind == IHASH_XXHASH64)
		XXH64_reset(xx_state(s), h->key_size ? hash_seed(h) : 0);
	else if (s->md)
		gcry_md_reset(s->md);
}

void ihash_add(struct ihash_state *s, const void *data, size_t n)
{
	if (s->hash->kind == IHASH_CRC32C)
		s->crc = crc32c(s->crc, data, n);
	else if (s->hash->kind == IHASH_XXHASH64)
		XXH64_update(xx_state(s), data, n);
	else
		gcry_md_write(s->md, data, n);
}

void ihash_end(struct ihash_state *s, uint8_t *out)
{
	const struct ihash *h = s->hash;
	uint64_t xx = h->kind == IHASH_XXHASH64 ? htole64(XXH64_digest(xx_state(s))) : 0;
	uint32_t crc = htole32(s->crc);
	unsigned i;

	if (h->kind == IHASH_CRC32C)
		memcpy(out, &crc, sizeof(crc));
	else if (h->kind == IHASH_XXHASH64)
		memcpy(out, &xx, sizeof(xx));
	else
		memcpy(out, gcry_md_read(s->md, h->algo), h->size);
	for (i = 0; h->kind == IHASH_CRC32 && i < 2; i++) {	/* the library's is big-endian */
		uint8_t byte = out[i];

		out[i] = out[3 - i];
		out[3 - i] = byte;
	}
}
