/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests: see digest.h. */
#include "base/digest.h"

#include <endian.h>
#include <errno.h>
#include <gcrypt.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/gcrypt_begin.h"

static const struct {
	const char *name;
	int algo;
} digests[] = {
	{ "sha1", GCRY_MD_SHA1 }, { "sha224", GCRY_MD_SHA224 }, { "sha256", GCRY_MD_SHA256 }, { "sha384", GCRY_MD_SHA384 },
	{ "sha512", GCRY_MD_SHA512 }, { "sha3-224", GCRY_MD_SHA3_224 }, { "sha3-256", GCRY_MD_SHA3_256 },
	{ "sha3-384", GCRY_MD_SHA3_384 }, { "sha3-512", GCRY_MD_SHA3_512 }, { "blake2b-160", GCRY_MD_BLAKE2B_160 },
	{ "blake2b-256", GCRY_MD_BLAKE2B_256 }, { "blake2b-384", GCRY_MD_BLAKE2B_384 }, { "blake2b-512", GCRY_MD_BLAKE2B_512 },
	{ "blake2s-128", GCRY_MD_BLAKE2S_128 }, { "blake2s-160", GCRY_MD_BLAKE2S_160 }, { "blake2s-224", GCRY_MD_BLAKE2S_224 },
	{ "blake2s-256", GCRY_MD_BLAKE2S_256 }, { "md5", GCRY_MD_MD5 }, { "rmd160", GCRY_MD_RMD160 }, { "sm3", GCRY_MD_SM3 },
	{ "wp512", GCRY_MD_WHIRLPOOL }, { "streebog256", GCRY_MD_STRIBOG256 }, { "streebog512", GCRY_MD_STRIBOG512 },
	{ "crc32c", 0 },
};

int digest_find(struct digest *d, const char *name, struct err *e)
{
	int r = gcrypt_begin(e);
	size_t i;

	if (r)
		return r;
	for (i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
		if (strcmp(digests[i].name, name))
			continue;
		if (digests[i].algo && gcry_md_test_algo(digests[i].algo))
			break;
		*d = (struct digest){ digests[i].algo, digests[i].algo ? gcry_md_get_algo_dlen(digests[i].algo) : sizeof(uint32_t) };
		return 0;
	}
	return err_set(e, -EINVAL, "there is no digest '%.60s' here: sha256, sha512, sha3-256, blake2b-256 and others are", name);
}

static void digest_crc(uint8_t *out, const struct digest_part *parts, unsigned n)
{
	uint32_t crc = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		crc = crc32c(crc, parts[i].data, parts[i].len);
	crc = htole32(crc);
	memcpy(out, &crc, sizeof(crc));
}

/* gcry_md_hash_buffers() allocates nothing, and takes no lock. */
void digest_of(const struct digest *d, uint8_t *out, const struct digest_part *parts, unsigned n)
{
	gcry_buffer_t buffers[DIGEST_PARTS];
	unsigned i;

	if (!d->algo) {
		digest_crc(out, parts, n);
		return;
	}
	memset(buffers, 0, n * sizeof(*buffers));
	for (i = 0; i < n; i++) {
		buffers[i].data = (void *)(uintptr_t)parts[i].data;
		buffers[i].size = buffers[i].len = parts[i].len;
	}
	if (gcry_md_hash_buffers(d->algo, 0, out, buffers, (int)n))
		memset(out, 0, d->size);	/* it cannot be: the function exists, and keys are for others */
}
