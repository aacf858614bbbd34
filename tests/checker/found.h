/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong: the first sentence counts. On any thread. */
#ifndef TESTS_CHECKER_FOUND_H
#define TESTS_CHECKER_FOUND_H

#include <stddef.h>

__attribute__((format(printf, 1, 2))) void found(const char *format, ...);
const char *found_what(void);	/* or NULL */
/* From now on it is stored at TEXT, which another process may share. Before threads are there. */
void found_into(char *text, size_t size);

#endif
