/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sections of the journal are sealed: commit ids, a MAC over the sectors of their entries (journal_mac), encryption
 * (journal_crypt). Without the two options only the commit ids are there.
 *
 * A cipher of blocks (cbc, xts) encrypts a section at once; its IV is the section's number, encrypted. A cipher that is a stream (ctr)
 * is one stream for the whole journal, rounded up to 4 KiB, and the four commit ids lie behind that.
 */
#ifndef INTEGRITY_SEAL_H
#define INTEGRITY_SEAL_H

#include "targets/integrity/format.h"
#include "targets/integrity/hash.h"

struct seal;

/* A cipher with its key, from a word: "cbc(aes):KEY". 0, or -errno and a sentence without the key. */
struct seal_cipher {
	int algo, mode;			/* the library's; 0: none */
	bool stream;
	uint8_t *key;			/* secret memory */
	unsigned key_size;
};
int seal_cipher_find(struct seal_cipher *c, const char *word, struct err *e);
void seal_cipher_free(struct seal_cipher *c);

/*
 * For a journal at F. MAC: a hash that is open, or NULL; SALT: NULL without fix_hmac. All of these stay. 0 or -errno and a sentence.
 */
int seal_new(struct seal **out, const struct iformat *f, struct ihash *mac, const uint8_t *salt, const struct seal_cipher *c,
	     struct err *e);
void seal_free(struct seal *s);		/* NULL is harmless */

/* The rest is for one thread. The id of a sector of a section, as it lies in the journal. */
uint64_t seal_commit_id(const struct seal *s, uint32_t section, uint32_t sector, unsigned seq);

/* MEMORY: of the section. Puts its MAC in, and says where what is to be written lies (until the next call). */
const uint8_t *seal_close(struct seal *s, uint32_t section, uint8_t *memory);
/* Decrypts it in place. */
void seal_open(struct seal *s, uint32_t section, uint8_t *memory);
/* Has it the right MAC? */
bool seal_is_signed(struct seal *s, uint32_t section, uint8_t *memory);

#endif
