/* SPDX-License-Identifier: BSD-2-Clause */
/* Measuring ciphers: see speed.h. */
#include "targets/crypt/speed.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "base/apart.h"
#include "base/gcrypt_begin.h"
#include "targets/crypt/crypt.h"

#define SPEED_SECTOR 4096u
#define SPEED_NS 8000000u		/* for each measurement */

static const struct {
	const char *name;
	int algo, mode;
	unsigned key;			/* bytes */
} speed_ciphers[CRYPT_SPEEDS] = {
	{ "aes-xts", GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_XTS, 64 }, { "aes-xts", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_XTS, 32 },
	{ "aes-cbc", GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CBC, 32 }, { "serpent-xts", GCRY_CIPHER_SERPENT256, GCRY_CIPHER_MODE_XTS, 64 },
	{ "twofish-xts", GCRY_CIPHER_TWOFISH, GCRY_CIPHER_MODE_XTS, 64 },
	{ "camellia-xts", GCRY_CIPHER_CAMELLIA256, GCRY_CIPHER_MODE_XTS, 64 },
};

static uint64_t speed_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static unsigned speed_of(gcry_cipher_hd_t h, bool encrypts)
{
	static uint8_t bytes[16 * SPEED_SECTOR];
	static const uint8_t iv[CRYPT_BLOCK];
	uint64_t begin = speed_now(), ns, done = 0;

	do {
		for (size_t at = 0; at < sizeof(bytes); at += SPEED_SECTOR, done += SPEED_SECTOR) {
			gcry_cipher_setiv(h, iv, sizeof(iv));
			if (encrypts)
				gcry_cipher_encrypt(h, bytes + at, SPEED_SECTOR, NULL, 0);
			else
				gcry_cipher_decrypt(h, bytes + at, SPEED_SECTOR, NULL, 0);
		}
		ns = speed_now() - begin;
	} while (ns < SPEED_NS);
	return (unsigned)(done * 1000 / ns);
}

static void speed_measure(size_t i, struct crypt_speed *out)
{
	uint8_t key[64];
	gcry_cipher_hd_t h;

	*out = (struct crypt_speed){ .cipher = speed_ciphers[i].name, .bits = 8 * speed_ciphers[i].key };
	if (crypt_cipher_open(speed_ciphers[i].algo, speed_ciphers[i].mode, &h))
		return;
	for (unsigned n = 0; n < sizeof(key); n++)
		key[n] = (uint8_t)n;
	crypt_cipher_key(h, key, speed_ciphers[i].key);
	out->encrypts = speed_of(h, true);
	out->decrypts = speed_of(h, false);
	gcry_cipher_close(h);
}

static int speed_child(void *arg)
{
	struct crypt_speeds *out = arg;
	struct err e = ERR_INIT;

	if (gcrypt_begin(&e))
		return ENOMEM;
	snprintf(out->library, sizeof(out->library), "libgcrypt %s", gcry_check_version(NULL));
	for (size_t i = 0; i < CRYPT_SPEEDS; i++)
		speed_measure(i, &out->ciphers[i]);
	return 0;
}

/* libgcrypt aborts if it begins without memory: so it has a process of its own. */
int crypt_speeds(struct crypt_speeds *out)
{
	struct crypt_speeds *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return -errno;
	r = apart(speed_child, shared);
	*out = *shared;
	munmap(shared, sizeof(*shared));
	return r ? -ENOMEM : 0;
}
