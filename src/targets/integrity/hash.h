/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digests by the words that Linux's dm-integrity takes: crc32, crc32c, xxhash64, those of base/digest.h, and hmac(DIGEST) with a
 * key. crc32c and xxhash64 may have a key with which they begin. One that is being computed has a state, which serves one
 * thread at a time: a line has a state for each io thread, and some more for workers and its clerk, who take whichever is free. So nothing is allocated for a digest.
 */
#ifndef INTEGRITY_HASH_H
#define INTEGRITY_HASH_H

#include <gcrypt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IHASH_MOST 64u			/* bytes of a digest */
#define IHASH_KEY_MOST 4096u		/* bytes */
#define IHASH_XX 12u

enum ihash_kind { IHASH_NONE, IHASH_CRC32, IHASH_CRC32C, IHASH_XXHASH64, IHASH_DIGEST, IHASH_HMAC };

struct ihash_state {
	struct ihash_state *next;	/* in `idle` */
	const struct ihash *hash;
	gcry_md_hd_t md;
	uint32_t crc;
	uint64_t xx[IHASH_XX];		/* XXH64_state_t */
};

struct ihash {
	enum ihash_kind kind;
	int algo;			/* the library's */
	unsigned size;			/* bytes of the digest */
	uint8_t *key;			/* in secret memory, or NULL */
	unsigned key_size;
	unsigned n_io, n;
	struct ihash_state *states;	/* of io threads, then the others */
	pthread_mutex_t lock;		/* guards `idle` */
	struct ihash_state *idle;
};

/* Is it quick enough that 128 KiB of it are computed where they are? */
static inline bool ihash_is_quick(const struct ihash *h)
{
	return h->kind < IHASH_DIGEST;
}

/* WORD: "crc32c", "hmac(sha256):KEY". 0, or -errno and a sentence, which never has the key in it. */
int ihash_find(struct ihash *h, const char *word, struct err *e);
/* States for N_IO io threads and OTHERS: 0, or -errno and a sentence. Control thread. */
int ihash_open(struct ihash *h, unsigned n_io, unsigned others, struct err *e);
void ihash_free(struct ihash *h);		/* harmless if there is nothing */

struct ihash_state *ihash_take(struct ihash *h);	/* of the others: there are enough */
void ihash_give(struct ihash *h, struct ihash_state *s);

void ihash_begin(struct ihash_state *s);
void ihash_add(struct ihash_state *s, const void *data, size_t n);
void ihash_end(struct ihash_state *s, uint8_t *out);		/* h->size bytes */

/* Hexadecimal digits to bytes, at most MOST: their number; or -EINVAL: it is something else. */
int ihash_key_read(const char *text, uint8_t *out, unsigned most);

#endif
