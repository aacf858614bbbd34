/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cipher's word, in its two spellings:
 *
 *   cipher[:keys][-mode[-iv[:hash]]]        aes-xts-plain64, aes:64-cbc-lmk, aes-cbc-essiv:sha256, aes (which is aes-cbc-plain)
 *   capi:mode(cipher)-iv[:hash]             capi:xts(aes)-plain64
 *   capi:essiv(mode(cipher),hash)-plain64   the same as capi:mode(cipher)-essiv:hash
 */
#include <errno.h>
#include <string.h>

#include "targets/crypt/crypt.h"

void crypt_refuse(struct dm_args *a, int code, const char *fmt, ...)
{
	struct err e = ERR_INIT;
	va_list ap;

	if (dm_args_failed(a))
		return;
	va_start(ap, fmt);
	err_vset(&e, code, fmt, ap);
	va_end(ap);
	dm_args_fail(a, "%s", e.text);
	a->err->code = code;
}

/* Copies N characters of AT to OUT; what is too long becomes "?", which is no name. */
static void spec_copy(char *out, size_t size, const char *at, size_t n)
{
	if (n >= size) {
		at = "?";
		n = 1;
	}
	memcpy(out, at, n);
	out[n] = '\0';
}

static void spec_mode(struct crypt *k, struct dm_args *a, const char *mode)
{
	static const struct { const char *name; enum crypt_mode mode; } modes[] = {
		{ "ecb", CRYPT_ECB }, { "cbc", CRYPT_CBC }, { "ctr", CRYPT_CTR }, { "xts", CRYPT_XTS }, { "gcm", CRYPT_GCM },
		{ "lrw", CRYPT_LRW }, { "pcbc", CRYPT_PCBC },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, mode)) {
			k->spec.mode = modes[i].mode;
			k->spec.aead |= k->spec.mode == CRYPT_GCM;
			return;
		}
	crypt_refuse(a, -ENOENT, "'%.60s': there is no cipher mode '%.20s' here; there are xts, cbc, ctr, lrw, pcbc, cts(cbc(CIPHER)) and ecb, and with tags gcm(CIPHER), "
		     "authenc(hmac(HASH),MODE(CIPHER)), authenc(cmac(CIPHER),MODE(CIPHER)), rfc4309(ccm(CIPHER)), rfc4106(gcm(CIPHER)) and "
		     "rfc7539(chacha20,poly1305)", k->spec.text, mode);
}

static void spec_cipher(struct crypt *k, struct dm_args *a, const char *at, size_t n)
{
	spec_copy(k->spec.cipher, sizeof(k->spec.cipher), at, n);
	k->spec.null = !strcmp(k->spec.cipher, "cipher_null");
	if (!k->spec.null && !crypt_cipher_known(k->spec.cipher))
		crypt_refuse(a, -ENOENT, "'%.60s': libgcrypt has no cipher '%.30s' (aes, serpent, twofish, camellia, cast5, blowfish, des3_ede, des, "
			     "sm4 and seed are possible, and cipher_null)", k->spec.text, k->spec.cipher);
}

/* "plain64", "essiv:sha256"; NULL: there is none. */
static void spec_iv(struct crypt *k, struct dm_args *a, const char *iv)
{
	const char *colon = iv ? strchr(iv, ':') : NULL;
	struct text names = TEXT_INIT;
	char name[16];

	if (!iv && k->spec.mode != CRYPT_ECB)
		dm_args_fail(a, "'%.60s': this cipher mode needs an IV mode, such as plain64", k->spec.text);
	spec_copy(name, sizeof(name), iv ? iv : "null", iv && colon ? (size_t)(colon - iv) : strlen(iv ? iv : "null"));
	k->spec.iv = crypt_iv_find(name);
	if (colon)
		spec_copy(k->spec.hash, sizeof(k->spec.hash), colon + 1, strlen(colon + 1));
	if (k->spec.iv)
		return;
	crypt_iv_names(&names);
	dm_args_fail(a, "'%.60s': there is no IV mode '%.15s'; there are %s", k->spec.text, name, text_str(&names));
	text_free(&names);
}

/* "aes", "aes:64" */
static void spec_keys(struct crypt *k, struct dm_args *a, const char *cipher)
{
	const char *colon = strchr(cipher, ':'), *at;

	k->spec.keys = 1;
	spec_cipher(k, a, cipher, colon ? (size_t)(colon - cipher) : strlen(cipher));
	if (!colon)
		return;
	k->spec.keys = 0;
	for (at = colon + 1; *at >= '0' && *at <= '9' && k->spec.keys <= CRYPT_KEYS_MOST; at++)
		k->spec.keys = k->spec.keys * 10 + (unsigned)(*at - '0');
	if (*at || !k->spec.keys || k->spec.keys > CRYPT_KEYS_MOST || (k->spec.keys & (k->spec.keys - 1)))
		dm_args_fail(a, "'%.60s': the number of keys is a power of two up to %u", k->spec.text, CRYPT_KEYS_MOST);
}

static void spec_old(struct crypt *k, struct dm_args *a, char *word)
{
	char *mode = strchr(word, '-'), *iv = NULL;

	if (mode)
		*mode++ = '\0';
	if (mode)
		iv = strchr(mode, '-');
	if (iv)
		*iv++ = '\0';
	spec_keys(k, a, word);
	if (!mode || (!iv && !strcmp(mode, "plain"))) {	/* as long ago */
		k->spec.mode = CRYPT_CBC;
		spec_iv(k, a, "plain");
		return;
	}
	if (!iv && strcmp(mode, "ecb"))
		dm_args_fail(a, "'%.60s': this is CIPHER-MODE-IV, such as aes-xts-plain64", k->spec.text);
	else
		spec_mode(k, a, mode);
	if (!dm_args_failed(a))
		spec_iv(k, a, iv);
	if (k->spec.aead && k->tag_kind && !strcmp(k->tag_kind, "aead"))
		dm_args_fail(a, "'%.60s': with tags it is spelled capi:MODE(CIPHER)-IV, such as capi:gcm(aes)-random", k->spec.text);
}

/* WORD is no "mode(cipher)". The kernel has a few ciphers that need no mode (aegis128). */
static void spec_no_template(struct crypt *k, struct dm_args *a, const char *word)
{
	const char *iv = strrchr(word, '-');
	int n = (int)(iv ? (size_t)(iv - word) : strlen(word));

	if (n && !strchr(word, '('))
		crypt_refuse(a, -ENOENT, "'%.60s': libgcrypt has no cipher '%.*s' that needs no mode; others are spelled capi:MODE(CIPHER)-IV, such as capi:xts(aes)-plain64",
			     k->spec.text, n < 30 ? n : 30, word);
	else
		crypt_refuse(a, -ENOENT, "'%.60s': capi: is followed by MODE(CIPHER)-IV, such as capi:xts(aes)-plain64", k->spec.text);
}

/* "mode(cipher)"; its last character is the parenthesis. */
static void spec_template(struct crypt *k, struct dm_args *a, char *word, size_t n)
{
	char *open = memchr(word, '(', n);

	k->spec.keys = 1;
	if (n > strlen("cts(cbc()") && !strncmp(word, "cts(cbc(", strlen("cts(cbc(")) && word[n - 2] == ')') {
		k->spec.mode = CRYPT_CTS;
		spec_cipher(k, a, word + strlen("cts(cbc("), n - strlen("cts(cbc())"));
		return;
	}
	if (!open || word[n - 1] != ')') {
		spec_no_template(k, a, word);
		return;
	}
	*open = '\0';
	spec_mode(k, a, word);
	spec_cipher(k, a, open + 1, n - (size_t)(open + 2 - word));
}

static void spec_essiv(struct crypt *k, struct dm_args *a, char *inner, const char *iv)
{
	size_t n = strlen(inner);
	char *comma = strchr(inner, ',');

	if (!comma || inner[n - 1] != ')' || !iv || strcmp(iv, "plain64")) {
		dm_args_fail(a, "'%.60s': this is capi:essiv(MODE(CIPHER),HASH)-plain64", k->spec.text);
		return;
	}
	k->spec.iv = &crypt_iv_essiv;
	spec_copy(k->spec.hash, sizeof(k->spec.hash), comma + 1, n - 1 - (size_t)(comma + 1 - inner));
	spec_template(k, a, inner, (size_t)(comma - inner));
}

/* "rfc4309(ccm(aes))": false: it is something else. */
static bool spec_salted(struct crypt *k, struct dm_args *a, const char *word)
{
	static const struct { const char *begin; enum crypt_mode mode; unsigned salt; } ways[] = {
		{ "rfc4309(ccm(", CRYPT_CCM, 3 }, { "rfc4106(gcm(", CRYPT_GCM, 4 },
	};
	size_t n = strlen(word), begin = strlen(ways[0].begin);

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (n > begin + 2 && !strncmp(word, ways[i].begin, begin) && !strcmp(word + n - 2, "))")) {
			k->spec.mode = ways[i].mode;
			k->spec.salt = ways[i].salt;
			k->spec.aead = true;
			spec_cipher(k, a, word + begin, n - begin - 2);
			return true;
		}
	return false;
}

/* "hmac(sha256),xts(aes))" */
static void spec_authenc(struct crypt *k, struct dm_args *a, char *inner)
{
	size_t n = strlen(inner);
	char *end = strstr(inner, "),");

	k->spec.cmac = !strncmp(inner, "cmac(", strlen("cmac("));
	if ((strncmp(inner, "hmac(", strlen("hmac(")) && !k->spec.cmac) || !end || inner[n - 1] != ')') {
		dm_args_fail(a, "'%.60s': this is capi:authenc(hmac(HASH),MODE(CIPHER))-IV, or with cmac(CIPHER) in place of hmac(HASH)", k->spec.text);
		return;
	}
	spec_copy(k->spec.mac, sizeof(k->spec.mac), inner + strlen("hmac("), (size_t)(end - inner) - strlen("hmac("));
	if (!crypt_mac_find(k))
		crypt_refuse(a, -ENOENT, "'%.60s': libgcrypt has no %s '%.30s'", k->spec.text, k->spec.cmac ? "CMAC of the cipher" : "hash", k->spec.mac);
	k->spec.aead = true;
	spec_template(k, a, end + 2, n - 1 - (size_t)(end + 2 - inner));
	if (k->spec.mode == CRYPT_GCM)
		crypt_refuse(a, -ENOENT, "'%.60s': gcm has a tag of its own", k->spec.text);
}

static void spec_capi(struct crypt *k, struct dm_args *a, char *word)
{
	char *end = strrchr(word, ')'), *iv = end && end[1] == '-' ? end + 2 : NULL;

	if (end)
		end[1] = '\0';
	if (!strncmp(word, "essiv(", strlen("essiv("))) {
		spec_essiv(k, a, word + strlen("essiv("), iv);
		return;
	}
	k->spec.keys = 1;
	if (!strncmp(word, "authenc(", strlen("authenc(")))
		spec_authenc(k, a, word + strlen("authenc("));
	else if (!crypt_aead_spec(k, word) && !spec_salted(k, a, word))
		spec_template(k, a, word, strlen(word));
	if (!dm_args_failed(a))
		spec_iv(k, a, iv);
	if (k->spec.iv == &crypt_iv_lmk)
		k->spec.keys = CRYPT_KEYS_LMK;		/* this spelling has no number */
}

void crypt_spec_read(struct crypt *k, struct dm_args *a, const char *text)
{
	char word[160];

	k->spec.text = text;
	spec_copy(word, sizeof(word), text, strlen(text));
	if (!strncmp(word, "capi:", strlen("capi:")))
		spec_capi(k, a, word + strlen("capi:"));
	else
		spec_old(k, a, word);
	if (!k->spec.iv)
		k->spec.iv = crypt_iv_find("null");	/* it has failed */
}
