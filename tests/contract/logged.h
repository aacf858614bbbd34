/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk of log-writes, "it", on the disk 0 of disk.h with its log on disk 1, and what stands in that. */
#ifndef TESTS_CONTRACT_LOGGED_H
#define TESTS_CONTRACT_LOGGED_H

#include "support/world.h"

#define TABLE "0 64 log-writes disk:0 disk:1"

extern struct logged {
	struct fixture f;
	struct dm_device *d;
} logged;

/* For cmocka. */
int logged_begin(void **state);
int logged_end(void **state);

void logged_make(const char *table);
/* The device is removed. */
void logged_gone(void);

int logged_io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count);
int logged_mark(const char *text, char *why);

/* The log that disk 1 holds, an entry a word: "w8+1 flush fua3+1 discard0+8 'text'". */
const char *logged_log(void);
void logged_status_is(const char *want);

#endif
