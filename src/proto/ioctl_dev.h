/* SPDX-License-Identifier: BSD-2-Clause */
/* Device numbers in struct dm_ioctl: Linux's huge_encode_dev(), 12 bits of major and 20 of minor in 32. */
#ifndef PROTO_IOCTL_DEV_H
#define PROTO_IOCTL_DEV_H

#include <stdint.h>

static inline uint64_t ioctl_dev(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (uint64_t)(major & 0xfff) << 8 | (uint64_t)(minor & ~0xffu) << 12;
}

static inline uint32_t ioctl_dev_major(uint64_t dev)
{
	return (uint32_t)(dev >> 8 & 0xfff);
}

static inline uint32_t ioctl_dev_minor(uint64_t dev)
{
	return (uint32_t)((dev & 0xff) | (dev >> 12 & 0xfff00));
}

#endif
