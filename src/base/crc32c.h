/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checksum CRC32C (Castagnoli), which iSCSI, ext4 and dm-thin use too: it finds every burst of damage up to 32 bits
 * long, and most processors have an instruction for it.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of N bytes at P that follow those whose checksum is CRC (0: there are none). */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* The same without the instruction. */
uint32_t crc32c_slowly(uint32_t crc, const void *p, size_t n);

#endif
