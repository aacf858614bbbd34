/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/gcrypt_begin.h"
#include "contract/sample.h"
#include "targets/crypt/crypt.h"

/* Sectors that were never written read as what zeros decrypt to; so the disk begins with encrypted zeros. */
#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void crypt_format(void)
{
	uint8_t key[32];
	gcry_cipher_hd_t h;

	gcrypt_begin(NULL);
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	gcry_cipher_open(&h, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_XTS, 0);
	gcry_cipher_setkey(h, key, sizeof(key));
	for (unsigned i = 0; i < SAMPLE_SECTORS; i++) {
		uint8_t iv[16] = { (uint8_t)i, (uint8_t)(i >> 8) }, *sector = disk_bytes(0) + (16 + i) * 512;

		gcry_cipher_setiv(h, iv, sizeof(iv));
		gcry_cipher_encrypt(h, sector, 512, NULL, 0);
	}
	gcry_cipher_close(h);
}

const struct sample sample_crypt = { .words = "aes-xts-plain64 " KEY " 0 disk:0 16 1 allow_discards", .format = crypt_format };
