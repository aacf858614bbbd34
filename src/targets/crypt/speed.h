/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast the machine's library is at the ciphers that volumes have: for `dmuse doctor`. */
#ifndef TARGETS_CRYPT_SPEED_H
#define TARGETS_CRYPT_SPEED_H

#define CRYPT_SPEEDS 6

struct crypt_speed {
	const char *cipher;		/* "aes-xts" */
	unsigned bits;			/* of the key */
	unsigned encrypts, decrypts;	/* MB/s of one thread, in sectors of 4096 bytes; 0: the library has not got it */
};

struct crypt_speeds {
	char library[40];		/* and its version, "libgcrypt 1.10.1" */
	struct crypt_speed ciphers[CRYPT_SPEEDS];
};

/* Measures them, in a process of its own, which takes some milliseconds for each. -ENOMEM: there was no memory for it. */
int crypt_speeds(struct crypt_speeds *out);

#endif
