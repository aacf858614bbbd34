/* SPDX-License-Identifier: BSD-2-Clause */
/* A flakey device, "it", on sectors 8 to 71 of "low", while the clock stands still. */
#ifndef TESTS_SUPPORT_FLAKEY_DISK_H
#define TESTS_SUPPORT_FLAKEY_DISK_H

#include "support/world.h"

extern struct flakey_disk {
	struct fixture f;
	struct dm_device *d, *low;
} flakey;

/* For cmocka. */
int flakey_begin(void **state);
int flakey_end(void **state);

/* The device: WORDS stand behind the place. */
void flakey_make_on(const struct dm_device *below, const char *words);
void flakey_make(const char *words);

int flakey_write(struct dm_device *to, uint32_t flags, uint64_t sector, uint8_t byte);
/* The first byte of the sector, or -errno. */
int flakey_byte(struct dm_device *from, uint64_t sector);

#endif
