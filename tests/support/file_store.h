/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of the file store: devices on files of a directory of their own (place.h). */
#ifndef TESTS_SUPPORT_FILE_STORE_H
#define TESTS_SUPPORT_FILE_STORE_H

#include "support/world.h"

extern char file_why[ERR_TEXT];		/* the last sentence */

/* Test setup, with F to be filled in, and teardown. */
int file_setup(struct fixture *f, enum aio_engine engine);
int file_teardown(void **state);

/* Creates the device NAME on the first SECTORS of PATH, with the store's options in PREFIX. Returns the errno. */
int map(const char *name, uint64_t sectors, const char *prefix, const char *path);
/* Opens it. */
struct dm_device *hold(const char *name);
/* The last sentence contains WORDS. */
void assert_says(const char *words);

#endif
