/* SPDX-License-Identifier: BSD-2-Clause */
/* See crc32c.h. Without the instruction, a table gives the checksum of each nibble. */
#include "base/crc32c.h"

#include <string.h>

#define CRC32C_POLYNOMIAL 0x82f63b78u	/* reflected */

/* Of one nibble: the polynomial's division of 4 bits, carried out by the compiler. */
#define CRC32C_BIT(c) ((c) & 1 ? ((c) >> 1) ^ CRC32C_POLYNOMIAL : (c) >> 1)
#define CRC32C_NIBBLE(n) CRC32C_BIT(CRC32C_BIT(CRC32C_BIT(CRC32C_BIT((uint32_t)(n)))))

static const uint32_t crc32c_nibbles[16] = {
	CRC32C_NIBBLE(0), CRC32C_NIBBLE(1), CRC32C_NIBBLE(2), CRC32C_NIBBLE(3), CRC32C_NIBBLE(4), CRC32C_NIBBLE(5),
	CRC32C_NIBBLE(6), CRC32C_NIBBLE(7), CRC32C_NIBBLE(8), CRC32C_NIBBLE(9), CRC32C_NIBBLE(10), CRC32C_NIBBLE(11),
	CRC32C_NIBBLE(12), CRC32C_NIBBLE(13), CRC32C_NIBBLE(14), CRC32C_NIBBLE(15),
};

uint32_t crc32c_slowly(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (crc = ~crc; n; n--) {
		crc ^= *s++;
		crc = crc32c_nibbles[crc & 15] ^ crc >> 4;
		crc = crc32c_nibbles[crc & 15] ^ crc >> 4;
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *s = p;
	uint64_t c = ~crc, eight;

	for (; n >= sizeof(eight); s += sizeof(eight), n -= sizeof(eight)) {
		memcpy(&eight, s, sizeof(eight));
		c = __builtin_ia32_crc32di(c, eight);
	}
	for (; n; n--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *s++);
	return ~(uint32_t)c;
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_fast(crc, p, n) : crc32c_slowly(crc, p, n);
}
#else
uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	return crc32c_slowly(crc, p, n);
}
#endif
