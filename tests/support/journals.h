/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers for tests of journals: what one has, as a text that can be compared, and its file as bytes. */
#ifndef SUPPORT_JOURNALS_H
#define SUPPORT_JOURNALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/journal.h"

#define JOURNALS_TEXT 8192

/* Opens it; the test fails if that fails. PATH NULL: the file FD. */
struct journal *journals_open(const char *path, int fd);
/* Closes it, and opens PATH again. */
struct journal *journals_again(struct journal *j, const char *path);
void journals_put(struct journal *j, const char *key, const char *value);
/* Commits; the test fails if that fails. */
void journals_commit(struct journal *j);
void journals_set(struct journal *j, const char *key, const char *value);	/* both */

/* All "key=value" in order, each followed by a line break. */
const char *journals_text(struct journal *j, char out[JOURNALS_TEXT]);
void journals_has(struct journal *j, const char *text);

/* The whole file; free() it. */
uint8_t *journals_bytes(int fd, size_t *n);
/* Leaves holes for zeroes. */
void journals_fill(int fd, const uint8_t *bytes, size_t n);
int journals_memory(void);	/* a new memfd */

#endif
