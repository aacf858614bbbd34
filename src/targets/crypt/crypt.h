/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of the target crypt is, and who knows what:
 *
 *   words.c     the words of the line          spec.c      the cipher's word: `aes-xts-plain64`, `capi:xts(aes)-plain64`
 *   key.c       the key's bytes                cipher.c    the library's ciphers
 *   iv*.c       initialisation vectors         engine.c    cipher handles, and the sectors that pass through them
 *   request.c   reads and writes               message.c   `key set`, `key wipe`
 *   aead.c      sectors with tags, which the target integrity keeps below
 *   chain.c     modes that libgcrypt lacks, over its ciphers
 *
 * A cipher handle serves one thread at a time. So the line has an engine, which is a set of handles, for each io thread, and
 * some more for the workers, which take whichever is free.
 *
 * The key changes only while the line is suspended: no request is under way then, and requests that come later were sent by
 * messages, so nothing of it needs a lock.
 *
 * Formats: the kernel's Documentation/admin-guide/device-mapper/dm-crypt.rst.
 */
#ifndef TARGETS_CRYPT_H
#define TARGETS_CRYPT_H

#include <gcrypt.h>
#include <pthread.h>

#include "core/kit/compute.h"
#include "core/kit/reserve.h"
#include "core/table/target.h"

#define CRYPT_BLOCK 16u			/* bytes: the largest block of a cipher, and so the longest IV */
#define CRYPT_KEY_MOST 4096u		/* bytes */
#define CRYPT_KEYS_MOST 512u		/* ciphers that take turns */
#define CRYPT_KEYS_LMK 64u		/* as many has loop-AES */
#define CRYPT_MOST 512u			/* sectors of a request that are under way at a time; a longer one is cut */
#define CRYPT_STRIPS 8u			/* parts of a request for several workers */

#define CRYPT_TAG_MOST 255u		/* bytes, with the IV if it is kept; as the target integrity has them */
#define CRYPT_WITH_TAGS 256u		/* sectors of a request with tags: the target integrity takes as many */

enum crypt_mode { CRYPT_ECB, CRYPT_CBC, CRYPT_CTR, CRYPT_XTS, CRYPT_GCM, CRYPT_POLY1305, CRYPT_CCM, CRYPT_CTS, CRYPT_LRW, CRYPT_PCBC };

struct crypt;
struct crypt_engine;

/* A sector (of the line's sector size) on its way. */
struct crypt_block {
	uint64_t sector;		/* its number, in the unit of the IV */
	unsigned key;			/* of k->spec.keys */
	bool encrypts;
	bool failed;			/* its IV could not be made */
	const uint8_t *in;		/* OUT may be the same place */
	uint8_t *out;
	uint8_t iv[CRYPT_BLOCK];	/* zeros at first, then that of the sector before; so a mode always writes the same bytes */
};

/* A mode of initialisation vectors (iv.c). */
struct crypt_iv {
	const char *name;
	/* Sets k->extra and what else the mode makes of the words. NULL: nothing. What is wrong is said by dm_args_fail(). */
	void (*check)(struct crypt *k, struct dm_args *a);
	unsigned (*ciphers)(const struct crypt *k);	/* how many of its own an engine has; NULL: none */
	int (*open)(const struct crypt *k, unsigned i, gcry_cipher_hd_t *out);	/* the Ith: 0 or -errno */
	/* Gives the I-th of them its key; 0 or -errno. */
	int (*set_key)(const struct crypt *k, struct crypt_engine *e, unsigned i);
	/* Makes the IV, and may change the data: then it leaves them in OUT, and IN is OUT. */
	void (*before)(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b);
	void (*after)(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b);	/* OUT is there; NULL: nothing */
};

struct crypt_spec {
	const char *text;		/* as it was given */
	char cipher[32], hash[32];	/* the kernel's names */
	char mac[32];			/* of authenc: the hash of its HMAC, or the cipher of its CMAC; or "" */
	bool cmac;
	unsigned salt;			/* bytes at the end of the key with which each nonce begins (rfc4309, rfc4106) */
	bool aead;			/* each sector has a tag by which it is known to be what was written */
	enum crypt_mode mode;
	bool null;			/* cipher_null: nothing is encrypted */
	unsigned keys;			/* ciphers that take turns: a power of two */
	const struct crypt_iv *iv;
};

enum crypt_option {
	CRYPT_DISCARDS = 1, CRYPT_SAME_CPU = 2, CRYPT_HIGH_PRIORITY = 4, CRYPT_FROM_CPUS = 8, CRYPT_NO_READ_QUEUE = 16,
	CRYPT_NO_WRITE_QUEUE = 32, CRYPT_IV_LARGE = 64,
};

struct crypt {
	struct dm_at at;
	struct crypt_spec spec;
	uint64_t iv_offset;		/* sectors of 512 */
	unsigned options;		/* enum crypt_option */
	uint32_t sector;		/* bytes that are encrypted at once */
	unsigned block, iv_size;	/* bytes, of the cipher */
	/* The key: keys of all ciphers one after the other, then what the IV mode takes of it. In secret memory. */
	uint8_t *key;
	unsigned key_size, extra;	/* bytes; `extra` are the IV mode's */
	/* What integrity below keeps for each sector: TAG bytes, then the IV, if it is random. 0: nothing. */
	unsigned tag_room, tag, mac_key;	/* bytes; `mac_key` are of the key, before `extra`: 0 without a MAC */
	unsigned mac_said;		/* integrity_key_size, which counts only with a MAC; 0: there is none */
	unsigned tag_step;		/* bytes for each sector below: TAG_ROOM or more */
	const char *tag_kind;		/* "aead", "none" */
	int mac_algo;			/* of hashes, or of CMACs */
	bool keeps_iv;
	bool has_key;			/* it was not wiped */
	bool suspended;
	int algo;			/* the library's, of the cipher */
	int hash;			/* of the IV mode */
	bool seeded;			/* lmk: version 3 */
	struct crypt_engine **engines;	/* of io threads, then those for workers */
	unsigned n_engines, n_io;
	pthread_mutex_t lock;		/* guards `idle` */
	struct crypt_engine *idle;	/* of those for workers */
	uint32_t strip;			/* sectors: more than this are computed on several threads; 0: never */
	struct reserve *small_writes, *writes, *reads;
};

struct crypt_engine {
	struct crypt_engine *next;	/* in `idle` */
	gcry_md_hd_t mac;		/* of authenc: one of these */
	gcry_mac_hd_t cmac;
	gcry_cipher_hd_t *iv;		/* the IV mode's own */
	gcry_cipher_hd_t data[];	/* one for each key */
};

/* words.c: the words of the line up to the end. */
void crypt_arg_words(struct crypt *k, struct dm_target *t, struct dm_args *a);
void crypt_text_options(const struct crypt *k, struct text *out);
unsigned crypt_option_words(const struct crypt *k);

/* As dm_args_fail(), but with errno CODE. */
void crypt_refuse(struct dm_args *a, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* spec.c: TEXT is the cipher's word, which it keeps. */
void crypt_spec_read(struct crypt *k, struct dm_args *a, const char *text);

/* key.c. Hexadecimal digits, or "-" for no key. 0, or -errno and a sentence, which never has the key in it. */
int crypt_key_read(const char *text, uint8_t *out, unsigned *bytes, struct err *e);
void crypt_text_key(const struct crypt *k, struct text *out);
unsigned crypt_subkey_size(const struct crypt *k);	/* with what the mode takes of it beside the cipher's */
unsigned crypt_subkey_beside(const struct crypt *k);	/* that */

/* cipher.c */
/* The algorithm for k->spec.cipher, whose block sizes it sets in K, and a key of BYTES; false: there is none. */
bool crypt_cipher_known(const char *name);
bool crypt_cipher_find(struct crypt *k, unsigned bytes);
int crypt_cipher_aes(unsigned bytes);			/* the algorithm with such a key; 0: there is none */
void crypt_cipher_keys(const char *name, struct text *out);	/* which keys it takes, for sentences */
int crypt_hash_find(const char *name);			/* 0: the library has none */
int crypt_cipher_open(int algo, int mode, gcry_cipher_hd_t *out);	/* 0 or -errno */
int crypt_cipher_open_data(const struct crypt *k, gcry_cipher_hd_t *out);	/* of the data */
int crypt_cipher_key(gcry_cipher_hd_t h, const void *key, size_t n);
int crypt_cipher_key_data(const struct crypt *k, gcry_cipher_hd_t h, const void *key, size_t n);	/* of one in the data's mode */

/* iv.c: a mode by its name, or NULL. */
const struct crypt_iv *crypt_iv_find(const char *name);
void crypt_iv_names(struct text *out);
extern const struct crypt_iv crypt_iv_essiv, crypt_iv_eboiv, crypt_iv_lmk, crypt_iv_tcw, crypt_iv_elephant;
void crypt_iv_number(struct crypt_block *b);		/* plain64: the sector's number, little endian */

/* engine.c. 0, or -errno and a sentence. */
int crypt_engines_new(struct crypt *k, struct dm_world *w, struct err *e);
void crypt_engines_free(struct crypt *k);
int crypt_engines_set_key(struct crypt *k, struct err *e);	/* to all of them, from k->key */
struct crypt_engine *crypt_engine_take(struct crypt *k);	/* for a worker; there is one for each */
void crypt_engine_give(struct crypt *k, struct crypt_engine *e);
/*
 * COUNT sectors (of 512) from SECTOR of the line: IN to OUT, which may be the same place. They are whole sectors of the line. TAGS:
 * those of the sectors, if there are any (k->tag_room). 0, or -EILSEQ: a tag is not that of its sector; or -EIO: libgcrypt does not
 * encrypt, and what is in OUT then is to be sent nowhere.
 */
int crypt_run(const struct crypt *k, struct crypt_engine *e, bool encrypts, uint64_t sector, uint64_t count, const uint8_t *in,
	      uint8_t *out, uint8_t *tags);
/* The same with bytes that lie where V says: out of them, or in place. */
int crypt_run_out_of(const struct crypt *k, struct crypt_engine *e, uint64_t sector, uint64_t count, struct vec v, uint8_t *out,
		     uint8_t *tags);
int crypt_run_in_place(const struct crypt *k, struct crypt_engine *e, uint64_t sector, uint64_t count, struct vec v, uint8_t *tags);

/* The cipher alone: B has its IV. 0 or -EIO. */
int crypt_block_cipher(const struct crypt *k, struct crypt_engine *e, const struct crypt_block *b);

/* chain.c: the same in modes that the library lacks. */
int crypt_chain(const struct crypt *k, struct crypt_engine *e, const struct crypt_block *b);
void crypt_null(const struct crypt *k, const struct crypt_block *b);	/* with cipher_null, whose blocks are bytes */
/* What lrw adds to the first block, before and after it is encrypted. */
void crypt_lrw_mask(const struct crypt *k, unsigned key, const uint8_t iv[CRYPT_BLOCK], uint8_t out[CRYPT_BLOCK]);

/* aead.c. NUMBER: of the sector in the line. B has its IV if it encrypts; else that comes from TAG, if it is kept there. */
int crypt_aead_run(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b, uint64_t number, uint8_t *tag);
void crypt_iv_random(struct crypt_block *b, unsigned bytes);
int crypt_mac_open(const struct crypt *k, struct crypt_engine *e);	/* 0 or -errno */
int crypt_mac_key(const struct crypt *k, struct crypt_engine *e);
void crypt_mac_close(struct crypt_engine *e);
bool crypt_mac_find(struct crypt *k);				/* by k->spec.mac: false: the library has none */
unsigned crypt_mac_bytes(const struct crypt *k);		/* of its longest tag */
/* "gcm(aes)", "rfc7539(chacha20,poly1305)": true, and K is filled in. */
bool crypt_aead_spec(struct crypt *k, const char *template);
/* Do the words suit each other, and what is below? As dm_args_fail(). */
void crypt_aead_check(struct crypt *k, struct dm_args *a);

/* request.c: for dm_type. */
int crypt_map(const struct dm_target *t, struct dm_req *r);
int crypt_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
int crypt_requests_new(struct crypt *k, struct dm_world *w, struct err *e);
void crypt_requests_free(struct crypt *k);

/* message.c: for dm_type. */
int crypt_message(struct dm_target *t, struct dm_ask *a);

#endif
