/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of 512 bytes and a tree of three levels, which is made here block by block; its root hash is the one that veritysetup
 * has computed for the same data.
 */
#include <string.h>

#include "base/digest.h"
#include "contract/sample.h"

#define DIGEST 32u
#define ROOT "36791d51aad67576193d8a4e2afc437d1aa5f3b994fa0327271555d1ad3f6a08"
#define FAN (512u / DIGEST)
#define SALT "\x01\x23\x45\x67\x89\xab\xcd\xef"

static uint8_t verity_byte(size_t i)
{
	return (uint8_t)(0x40 | (i * 7 ^ i >> 9));
}

static void verity_content(uint8_t *sectors)
{
	size_t i;

	for (i = 0; i < SAMPLE_SECTORS * 512; i++)
		sectors[i] = verity_byte(i);
}

/* The digests of N blocks, in blocks; returns how many these are. */
static unsigned verity_level(const struct digest *d, const uint8_t *blocks, unsigned n, uint8_t *out)
{
	struct digest_part parts[2] = { { SALT, 8 } };
	unsigned i;

	for (i = 0; i < n; i++) {
		parts[1] = (struct digest_part){ blocks + i * 512, 512 };
		digest_of(d, out + i * DIGEST, parts, 2);
	}
	return (n + FAN - 1) / FAN;
}

/* The highest level comes first: 1 block, 4 blocks, 60 blocks. */
static void verity_format(void)
{
	uint8_t *tree = disk_bytes(1);
	struct digest d;
	struct err e;

	if (digest_find(&d, "sha256", &e))
		return;
	verity_content(disk_bytes(0));
	verity_level(&d, disk_bytes(0), SAMPLE_SECTORS, tree + 5 * 512);
	verity_level(&d, tree + 5 * 512, 60, tree + 512);
	verity_level(&d, tree + 512, 4, tree);
}

const struct sample sample_verity = {
	.words = "1 disk:0 disk:1 512 512 960 0 sha256 " ROOT " 0123456789abcdef",
	.readonly = true, .format = verity_format, .content = verity_content,
};
