/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a crypt line: <cipher> <key> <IV offset> <device> <offset> [<#options> <option>...]. The options about queues and
 * processors say how the kernel's threads are to be used: they are shown again and have no effect.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/words.h"
#include "targets/crypt/crypt.h"

#define CRYPT_SECTOR_MOST 4096u		/* bytes */
#define CRYPT_OPTIONS_MOST 9u		/* as on Linux */
#define AEAD_IV 12u			/* bytes, of gcm and rfc7539 */
#define NULL_IV 8u			/* of cipher_null in a mode that chains blocks; the first byte is used */
#define SALTED_IV 8u			/* of rfc4309 and rfc4106: the salt is before it */

/* In the order in which they are shown. */
static const struct {
	const char *name;
	unsigned option;
} crypt_flags[] = {
	{ "allow_discards", CRYPT_DISCARDS }, { "same_cpu_crypt", CRYPT_SAME_CPU }, { "high_priority", CRYPT_HIGH_PRIORITY },
	{ "submit_from_crypt_cpus", CRYPT_FROM_CPUS }, { "no_read_workqueue", CRYPT_NO_READ_QUEUE },
	{ "no_write_workqueue", CRYPT_NO_WRITE_QUEUE }, { "iv_large_sectors", CRYPT_IV_LARGE },
};

#define N_FLAGS (sizeof(crypt_flags) / sizeof(*crypt_flags))

static void arg_sector_size(struct crypt *k, struct dm_args *a, const char *value)
{
	uint64_t n;

	if (words_u64(value, &n) || n < DM_SECTOR || n > CRYPT_SECTOR_MOST || (n & (n - 1))) {
		dm_args_fail(a, "word %u: '%.40s' is no sector size; 512, 1024, 2048 and 4096 are possible", a->word, value);
		return;
	}
	k->sector = (uint32_t)n;
}

/* "28:aead" */
static void arg_integrity(struct crypt *k, struct dm_args *a, const char *value)
{
	const char *colon = strchr(value, ':');
	unsigned long n = strtoul(value, NULL, 10);

	k->tag_room = (unsigned)n;
	k->tag_kind = !colon ? NULL : !strcasecmp(colon + 1, "aead") ? "aead" : !strcasecmp(colon + 1, "none") ? "none" : NULL;
	if (*value < '0' || *value > '9' || !n || n > CRYPT_TAG_MOST || strspn(value, "0123456789") != (size_t)(colon ? colon - value : 0))
		dm_args_fail(a, "word %u: integrity:%.40s: it is integrity:BYTES:aead or integrity:BYTES:none, with up to %u bytes", a->word, value,
			     CRYPT_TAG_MOST);
	else if (!k->tag_kind)
		dm_args_fail(a, "word %u: integrity:%.40s: only 'aead' and 'none' are known behind the bytes", a->word, value);
}

static void arg_mac_key(struct crypt *k, struct dm_args *a, const char *value)
{
	uint64_t n;

	if (words_u64(value, &n) || !n || n > CRYPT_KEY_MOST)
		dm_args_fail(a, "word %u: integrity_key_size:%.40s: it is a number of bytes of the key", a->word, value);
	k->mac_said = (unsigned)n;
}

static void arg_option(struct crypt *k, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<option>");

	for (size_t i = 0; i < N_FLAGS; i++)
		if (!strcasecmp(word, crypt_flags[i].name)) {
			k->options |= crypt_flags[i].option;
			return;
		}
	if (!strncmp(word, "sector_size:", strlen("sector_size:")))
		arg_sector_size(k, a, word + strlen("sector_size:"));
	else if (!strncmp(word, "integrity:", strlen("integrity:")))
		arg_integrity(k, a, word + strlen("integrity:"));
	else if (!strncmp(word, "integrity_key_size:", strlen("integrity_key_size:")))
		arg_mac_key(k, a, word + strlen("integrity_key_size:"));
	else
		dm_args_fail(a, "word %u: '%.80s' is not an option: allow_discards, sector_size:BYTES, iv_large_sectors, "
			     "same_cpu_crypt, submit_from_crypt_cpus, no_read_workqueue, no_write_workqueue, high_priority, "
			     "integrity:BYTES:aead, integrity:BYTES:none or integrity_key_size:BYTES", a->word, word);
}

static void arg_options(struct crypt *k, struct dm_args *a)
{
	uint64_t n = 0;

	if (dm_args_left(a))
		n = dm_arg_number(a, "<#options>", 0, CRYPT_OPTIONS_MOST);
	if (n > dm_args_left(a))
		dm_args_fail(a, "%llu options are announced, but there are %zu", (unsigned long long)n, dm_args_left(a));
	while (n-- && !dm_args_failed(a))
		arg_option(k, a);
}

/* Only the digits are in the line's own words, which are wiped. */
static void arg_key(struct crypt *k, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<key>");
	struct err e = ERR_INIT;

	if (dm_args_failed(a))
		return;
	k->key = secret_alloc(CRYPT_KEY_MOST);
	if (!k->key) {
		dm_args_fail(a, "no memory for the key");
		return;
	}
	if (strcmp(word, "-"))
		dm_args_secret(a);
	if (crypt_key_read(word, k->key, &k->key_size, &e))
		crypt_refuse(a, e.code, "%s", e.text);
}

/* Of the algorithm that K's name has with a key of BYTES. */
static bool key_fits(struct crypt *k, unsigned bytes)
{
	if (k->spec.mode == CRYPT_POLY1305) {
		k->algo = GCRY_CIPHER_CHACHA20;
		return bytes == 32;
	}
	if (k->spec.mode == CRYPT_XTS)
		return bytes % 2 == 0 && crypt_cipher_find(k, bytes / 2);
	return bytes > crypt_subkey_beside(k) && crypt_cipher_find(k, bytes - crypt_subkey_beside(k));
}

/* There is at most that of an HMAC. */
static void check_null_key(const struct crypt *k, struct dm_args *a)
{
	if (k->key_size == k->mac_key)
		return;
	if (k->mac_key)
		dm_args_fail(a, "cipher_null takes no key, so the word is that of the HMAC or CMAC: %u bytes, not %u", k->mac_key, k->key_size);
	else
		dm_args_fail(a, "cipher_null takes no key: the word is '-'");
}

static void check_key(struct crypt *k, struct dm_args *a)
{
	struct text sizes = TEXT_INIT;
	unsigned left = k->key_size - k->extra - k->mac_key;

	if (k->key_size < k->extra + k->mac_key)
		left = 0;
	if (k->spec.null) {
		check_null_key(k, a);
		return;
	}
	if (left % k->spec.keys == 0 && key_fits(k, left / k->spec.keys))
		return;
	crypt_cipher_keys(k->spec.cipher, &sizes);
	dm_args_fail(a, "the key has %u bytes; %s has keys of %s bytes%s%s%s", k->key_size, k->spec.cipher, text_str(&sizes),
		     k->spec.mode == CRYPT_XTS ? ", and in mode xts two of them" :
		     k->spec.mode == CRYPT_LRW ? ", and mode lrw takes 16 more" : k->spec.salt == 3 ? ", and rfc4309 takes 3 more" :
		     k->spec.salt ? ", and rfc4106 takes 4 more" : "", k->spec.keys > 1 ? ", for each cipher" : "",
		     k->extra ? ", beside what the IV mode takes" : "");
	text_free(&sizes);
}

/* Blocks of 16 bytes. */
static bool takes_16(enum crypt_mode mode)
{
	return mode == CRYPT_XTS || mode == CRYPT_GCM || mode == CRYPT_CCM || mode == CRYPT_LRW;
}

/* How long blocks are has to be known before the IV mode can say what it takes of the key. */
static void check_cipher(struct crypt *k, struct dm_args *a)
{
	struct crypt with = { .spec = k->spec };
	unsigned bytes;

	if (k->spec.mode == CRYPT_POLY1305) {
		k->block = 1;
		k->iv_size = AEAD_IV;
		return;
	}
	if (k->spec.mode == CRYPT_ECB && k->spec.iv != &crypt_iv_essiv)
		k->spec.iv = crypt_iv_find("null");	/* as on Linux: it has no IV, whatever the word says */
	if (k->spec.null) {
		k->block = 1;
		k->iv_size = k->spec.mode == CRYPT_ECB ? 0 : NULL_IV;
		if (takes_16(k->spec.mode) || k->spec.mode == CRYPT_CTR)
			dm_args_fail(a, "cipher_null has blocks of 1 byte, which does not suit its mode");
		return;
	}
	for (bytes = 1; bytes <= 64 && !crypt_cipher_find(&with, bytes); bytes++)
		;
	k->block = (unsigned)gcry_cipher_get_algo_blklen(with.algo);
	k->iv_size = k->spec.mode == CRYPT_ECB ? 0 : k->spec.salt ? SALTED_IV : k->spec.mode == CRYPT_GCM ? AEAD_IV : k->block;
	if (!k->block || k->block > CRYPT_BLOCK || (takes_16(k->spec.mode) && k->block != CRYPT_BLOCK))
		dm_args_fail(a, "cipher %s has blocks of %u bytes, which does not suit its mode", k->spec.cipher, k->block);
}

static void check_sectors(struct crypt *k, const struct dm_target *t, struct dm_args *a)
{
	unsigned step = k->sector / DM_SECTOR;

	if (t->len % step || t->start % step)
		dm_args_fail(a, "a line with sector_size:%u begins and ends at a multiple of %u sectors; this one begins at %llu and has %llu",
			     k->sector, step, (unsigned long long)t->start, (unsigned long long)t->len);
	else if (k->at.offset % step)
		dm_args_fail(a, "<offset> is a multiple of %u with sector_size:%u", step, k->sector);
	else if (k->iv_offset % step)
		dm_args_fail(a, "<IV offset> is a multiple of %u with sector_size:%u", step, k->sector);
}

void crypt_arg_words(struct crypt *k, struct dm_target *t, struct dm_args *a)
{
	const char *cipher = dm_arg_word(a, "<cipher>");
	char *kept = dm_args_alloc(a, strlen(cipher) + 1);

	k->sector = DM_SECTOR;
	k->spec.keys = 1;
	arg_key(k, a);
	k->iv_offset = dm_arg_number(a, "<IV offset>", 0, UINT64_MAX);
	k->at = dm_arg_at(a, t->len);
	arg_options(k, a);
	if (dm_args_failed(a))
		return;
	crypt_spec_read(k, a, strcpy(kept, cipher));
	if (!dm_args_failed(a))
		check_cipher(k, a);
	if (!dm_args_failed(a) && k->spec.iv->check)
		k->spec.iv->check(k, a);
	if (k->mac_algo)
		k->mac_key = k->mac_said ? k->mac_said : crypt_mac_bytes(k);
	if (!dm_args_failed(a))
		check_key(k, a);
	if (!dm_args_failed(a))
		crypt_aead_check(k, a);
	if (!dm_args_failed(a))
		check_sectors(k, t, a);
}

unsigned crypt_option_words(const struct crypt *k)
{
	return (unsigned)__builtin_popcount(k->options) + (k->sector != DM_SECTOR) + !!k->tag_room + !!k->mac_said;
}

void crypt_text_options(const struct crypt *k, struct text *out)
{
	for (size_t i = 0; i < N_FLAGS; i++) {
		if (crypt_flags[i].option == CRYPT_IV_LARGE && k->tag_room)
			text_printf(out, " integrity:%u:%s", k->tag_room, k->tag_kind);
		if (crypt_flags[i].option == CRYPT_IV_LARGE && k->sector != DM_SECTOR)
			text_printf(out, " sector_size:%u", k->sector);
		if (k->options & crypt_flags[i].option)
			text_printf(out, " %s", crypt_flags[i].name);
	}
	if (k->mac_said)
		text_printf(out, " integrity_key_size:%u", k->mac_said);
}
