/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sectors with tags. What was encrypted is known by its tag to be what was written, and at this place: the number of the sector and
 * the IV are authenticated with it. On disk a tag is followed by the IV, if that is random.
 *
 *   gcm, rfc7539    the library's own modes
 *   rfc4309(ccm), rfc4106(gcm)    the same, but a nonce is a part of the key and then the IV, which is not authenticated besides
 *   authenc         a cipher as without tags, and an HMAC or CMAC over number, IV and cipher text
 *   (none)          only the IV is kept
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "targets/crypt/crypt.h"

void crypt_iv_random(struct crypt_block *b, unsigned bytes)
{
	gcry_create_nonce(b->iv, bytes);
}

/* What is authenticated beside the cipher text. */
static size_t also_authentic(const struct crypt *k, const struct crypt_block *b, uint64_t number, uint8_t *out)
{
	number = htole64(number);
	memcpy(out, &number, sizeof(number));
	if (k->spec.salt)
		return sizeof(number);
	memcpy(out + sizeof(number), b->iv, k->iv_size);
	return sizeof(number) + k->iv_size;
}

static bool differs(const uint8_t *a, const uint8_t *b, unsigned n)
{
	uint8_t other = 0;

	while (n--)
		other |= a[n] ^ b[n];
	return other;
}

/* --- the library's modes ------------------------------------------------------------------------------------------------- */

static gcry_error_t nonce_set(const struct crypt *k, gcry_cipher_hd_t h, const struct crypt_block *b, size_t also)
{
	uint64_t lengths[3] = { k->sector, also, k->tag };
	uint8_t nonce[CRYPT_BLOCK];
	unsigned salt = k->spec.salt;
	gcry_error_t err;

	memcpy(nonce, k->key + crypt_subkey_size(k) - salt, salt);
	memcpy(nonce + salt, b->iv, k->iv_size);
	err = gcry_cipher_setiv(h, nonce, salt + k->iv_size);
	if (!err && k->spec.mode == CRYPT_CCM)
		err = gcry_cipher_ctl(h, GCRYCTL_SET_CCM_LENGTHS, lengths, sizeof(lengths));
	explicit_bzero(nonce, sizeof(nonce));
	return err;
}

static int library_run(const struct crypt *k, gcry_cipher_hd_t h, const struct crypt_block *b, const uint8_t *also, size_t n, uint8_t *tag)
{
	const uint8_t *in = b->in == b->out ? NULL : b->in;

	if (gcry_cipher_reset(h) || nonce_set(k, h, b, n) || gcry_cipher_authenticate(h, also, n) || gcry_cipher_final(h))
		return -EIO;
	if (b->encrypts)
		return gcry_cipher_encrypt(h, b->out, k->sector, in, in ? k->sector : 0) || gcry_cipher_gettag(h, tag, k->tag) ? -EIO : 0;
	if (gcry_cipher_decrypt(h, b->out, k->sector, in, in ? k->sector : 0))
		return -EIO;
	return gcry_cipher_checktag(h, tag, k->tag) ? -EILSEQ : 0;
}

/* --- authenc --------------------------------------------------------------------------------------------------------------- */

int crypt_mac_open(const struct crypt *k, struct crypt_engine *e)
{
	if (!k->mac_algo)
		return 0;
	if (k->spec.cmac)
		return gcry_mac_open(&e->cmac, k->mac_algo, GCRY_MAC_FLAG_SECURE, NULL) ? -ENOMEM : 0;
	return gcry_md_open(&e->mac, k->mac_algo, GCRY_MD_FLAG_HMAC | GCRY_MD_FLAG_SECURE) ? -ENOMEM : 0;
}

/* Its key is behind the cipher's. */
int crypt_mac_key(const struct crypt *k, struct crypt_engine *e)
{
	const uint8_t *key = k->key + k->key_size - k->extra - k->mac_key;

	if (!k->mac_algo)
		return 0;
	if (k->spec.cmac)
		return gcry_mac_setkey(e->cmac, key, k->mac_key) ? -EINVAL : 0;
	return gcry_md_setkey(e->mac, key, k->mac_key) ? -EINVAL : 0;
}

void crypt_mac_close(struct crypt_engine *e)
{
	gcry_md_close(e->mac);
	if (e->cmac)
		gcry_mac_close(e->cmac);
}

unsigned crypt_mac_bytes(const struct crypt *k)
{
	return k->spec.cmac ? gcry_mac_get_algo_maclen(k->mac_algo) : gcry_md_get_algo_dlen(k->mac_algo);
}

bool crypt_mac_find(struct crypt *k)
{
	static const struct { const char *cipher; int algo; } cmacs[] = {
		{ "aes", GCRY_MAC_CMAC_AES }, { "camellia", GCRY_MAC_CMAC_CAMELLIA }, { "serpent", GCRY_MAC_CMAC_SERPENT },
		{ "twofish", GCRY_MAC_CMAC_TWOFISH },
	};

	if (!k->spec.cmac)
		k->mac_algo = crypt_hash_find(k->spec.mac);
	for (size_t i = 0; k->spec.cmac && i < sizeof(cmacs) / sizeof(*cmacs); i++)
		if (!strcmp(cmacs[i].cipher, k->spec.mac) && !gcry_mac_test_algo(cmacs[i].algo))
			k->mac_algo = cmacs[i].algo;
	return k->mac_algo;
}

static int cmac(const struct crypt *k, struct crypt_engine *e, const uint8_t *also, size_t n, const uint8_t *text, uint8_t *out)
{
	size_t bytes = k->tag;

	return gcry_mac_reset(e->cmac) || gcry_mac_write(e->cmac, also, n) || gcry_mac_write(e->cmac, text, k->sector) ||
	       gcry_mac_read(e->cmac, out, &bytes) ? -EIO : 0;
}

static int mac(const struct crypt *k, struct crypt_engine *e, const uint8_t *also, size_t n, const uint8_t *text, uint8_t *out)
{
	if (k->spec.cmac)
		return cmac(k, e, also, n, text, out);
	gcry_md_reset(e->mac);
	gcry_md_write(e->mac, also, n);
	gcry_md_write(e->mac, text, k->sector);
	memcpy(out, gcry_md_read(e->mac, k->mac_algo), k->tag);
	return 0;
}

static int authenc_run(const struct crypt *k, struct crypt_engine *e, const struct crypt_block *b, const uint8_t *also, size_t n, uint8_t *tag)
{
	uint8_t right[CRYPT_TAG_MOST];
	int err;

	if (b->encrypts) {
		err = crypt_block_cipher(k, e, b);
		return err ? err : mac(k, e, also, n, b->out, tag);
	}
	err = mac(k, e, also, n, b->in, right);
	if (!err && differs(right, tag, k->tag))
		err = -EILSEQ;
	return err ? err : crypt_block_cipher(k, e, b);
}

/* --- one sector ------------------------------------------------------------------------------------------------------------ */

/* What is kept beside tag and IV is zeros. */
static void clear_rest(const struct crypt *k, uint8_t *tag)
{
	unsigned used = k->tag + (k->keeps_iv ? k->iv_size : 0);

	memset(tag + used, 0, k->tag_step - used);
}

int crypt_aead_run(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b, uint64_t number, uint8_t *tag)
{
	uint8_t also[sizeof(number) + CRYPT_BLOCK];
	size_t n;

	if (b->encrypts)
		clear_rest(k, tag);
	if (k->keeps_iv && b->encrypts)
		memcpy(tag + k->tag, b->iv, k->iv_size);
	else if (k->keeps_iv)
		memcpy(b->iv, tag + k->tag, k->iv_size);
	if (!k->spec.aead)
		return crypt_block_cipher(k, e, b);
	n = also_authentic(k, b, number, also);
	return k->mac_algo ? authenc_run(k, e, b, also, n, tag) : library_run(k, e->data[0], b, also, n, tag);
}

/* --- words ----------------------------------------------------------------------------------------------------------------- */

bool crypt_aead_spec(struct crypt *k, const char *template)
{
	if (!strcmp(template, "rfc7539(chacha20,poly1305)")) {
		strcpy(k->spec.cipher, "chacha20");
		k->spec.mode = CRYPT_POLY1305;
		k->spec.aead = true;
	}
	return k->spec.aead;
}

static bool tag_is_possible(const struct crypt *k)
{
	if (k->mac_algo)
		return k->tag && k->tag <= crypt_mac_bytes(k);
	if (k->spec.salt)
		return k->tag == 8 || k->tag == 12 || k->tag == 16;
	if (k->spec.mode == CRYPT_POLY1305)
		return k->tag == 16;
	return k->tag == 4 || k->tag == 8 || (k->tag >= 12 && k->tag <= 16);
}

static void check_below(struct crypt *k, struct dm_args *a)
{
	const struct dm_limits *l = &k->at.store->limits;

	k->tag_step = k->tag_room;
	if (!k->tag_room || !dm_args_may_reserve(a))
		return;
	if (!k->at.store->device || !l->tags)
		dm_args_fail(a, "option integrity:%u takes a device of the target integrity without an internal_hash, which keeps the tags; '%.80s' is none",
			     k->tag_room, k->at.store->name);
	else if (l->tags < k->tag_room)
		dm_args_fail(a, "option integrity:%u: '%.80s' keeps tags of %u bytes", k->tag_room, k->at.store->name, l->tags);
	else if (l->logical != k->sector)
		dm_args_fail(a, "sector_size:%u: '%.80s' keeps tags for blocks of %u bytes", k->sector, k->at.store->name, l->logical);
	else
		k->tag_step = l->tags;
}

void crypt_aead_check(struct crypt *k, struct dm_args *a)
{
	bool says_aead = k->tag_kind && !strcmp(k->tag_kind, "aead");
	unsigned iv = k->keeps_iv ? k->iv_size : 0;

	if (k->spec.aead && !says_aead)
		crypt_refuse(a, -ENOENT, "'%.60s' has a tag for each sector, so there is an option integrity:BYTES:aead", k->spec.text);
	else if (says_aead && !k->spec.aead)
		dm_args_fail(a, "'%.60s' makes no tags: gcm, rfc7539 and authenc do, others take integrity:BYTES:none", k->spec.text);
	else if (k->mac_said && k->spec.aead && !k->mac_algo)
		dm_args_fail(a, "integrity_key_size is for the key of an HMAC or CMAC, which '%.60s' does not have", k->spec.text);
	else if (k->keeps_iv && k->tag_room < iv)
		dm_args_fail(a, "IV mode random takes %u bytes for each sector, which the target integrity keeps below: integrity:%u:none, or more for a tag",
			     iv, iv);
	k->tag = k->spec.aead && k->tag_room > iv ? k->tag_room - iv : 0;
	if (!dm_args_failed(a) && k->spec.aead && !tag_is_possible(k))
		dm_args_fail(a, "option integrity:%u leaves %u bytes for the tag, which '%.60s' does not have", k->tag_room, k->tag, k->spec.text);
	if (!dm_args_failed(a))
		check_below(k, a);
}
