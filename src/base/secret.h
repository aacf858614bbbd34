/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for keys: it is in no core dump, no child process has it, and it is not swapped out where the limit of locked memory
 * (RLIMIT_MEMLOCK) allows that. What is freed is overwritten. There is little of it: it is for keys and what ciphers make of
 * them, not for data. Any thread.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* SIZE zeroed bytes aligned for any type, or NULL: no memory. */
void *secret_alloc(size_t size);
void secret_free(void *p);		/* NULL is harmless */

/* Does P lie in such memory? Any pointer. */
bool secret_owns(const void *p);

/* How many bytes may be written to P. */
size_t secret_size(const void *p);

#endif
