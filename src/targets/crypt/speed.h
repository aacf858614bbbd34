/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast the machine's library is at the ciphers that volumes have: for `dmuse doctor`. */
#ifndef TARGETS_CRYPT_SPEED_H
#define TARGETS_CRYPT_SPEED_H

#include <stdbool.h>

struct crypt_speed {
	const char *cipher;		/* "aes-xts" */
	unsigned bits;			/* of the key */
	unsigned encrypts, decrypts;	/* MB/s of one thread, in sectors of 4096 bytes; 0: the library has not got it */
};

/* Measures the I-th cipher, which takes some milliseconds; false: there are no more. */
bool crypt_speed(unsigned i, struct crypt_speed *out);

/* The library and its version, "libgcrypt 1.10.1". */
const char *crypt_library(void);

#endif
