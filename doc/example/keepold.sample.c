/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the contract tests need to know about keepold; for a target of src/targets this is in
 * tests/contract/samples/NAME.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

#define CHUNK (8 * 512u)
#define NOW (16 * 512u)
#define OLD (32 * 512u)

static uint8_t keepold_byte(unsigned i)
{
	return (uint8_t)(0x80 | i * 7 | i >> 9);
}

static void keepold_format(void)
{
	unsigned i;

	for (i = 0; i < SAMPLE_SECTORS * 512; i++)
		disk_bytes(0)[NOW + i] = keepold_byte(i);
}

/* Whenever the power is cut, the old content of a chunk is complete in one of the two places. */
static void keepold_crash(struct fixture *f)
{
	uint8_t chunk[CHUNK];
	unsigned at, i;

	(void)f;
	for (at = 0; at < SAMPLE_SECTORS * 512; at += CHUNK) {
		for (i = 0; i < CHUNK; i++)
			chunk[i] = keepold_byte(at + i);
		if (memcmp(disk_bytes(0) + NOW + at, chunk, CHUNK))
			assert_memory_equal(disk_bytes(1) + OLD + at, chunk, CHUNK);
	}
}

const struct sample sample_keepold = {
	.words = "disk:0 16 disk:1 32", .format = keepold_format, .crash = keepold_crash,
};
