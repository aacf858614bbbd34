/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digests by the names that Linux's crypto API has for them, computed by libgcrypt: SHA-1, SHA-2, SHA-3, BLAKE2, MD5, RIPEMD-160,
 * SM3, Whirlpool, Streebog; and the checksum crc32c. A digest says only which function it is, so any number of threads may use
 * one at a time.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_MOST 64u		/* bytes: the longest one */
#define DIGEST_PARTS 8u		/* of a text, at most */

struct digest {
	int algo;		/* libgcrypt's; 0: crc32c */
	uint32_t size;		/* bytes */
};

struct digest_part {
	const void *data;
	size_t len;
};

/* 0, or -EINVAL and a sentence: there is none of this name here. Any thread. */
int digest_find(struct digest *d, const char *name, struct err *e);

/* Writes d->size bytes to OUT: the digest of N parts, one after the other. Any thread. */
void digest_of(const struct digest *d, uint8_t *out, const struct digest_part *parts, unsigned n);

#endif
