/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libfuse does not show of the protocol (linux/fuse.h): the number of a request and of a poll handle, and two
 * notifications. Libfuse keeps the numbers in memory that ends with the process; a later one needs them.
 */
#ifndef FRONTS_FUSE_RAW_H
#define FRONTS_FUSE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUSE_RAW_AGAIN (UINT64_C(1) << 63)	/* in the number of a request: it is sent again */

/* Of a request as it was read. */
bool fuse_raw_is_init(const void *request, size_t len);
uint64_t fuse_raw_unique(const void *request);
uint64_t fuse_raw_poll(const void *request);	/* of a FUSE_POLL: the number that fuse_raw_wake() wants */

/* Wakes who polls the file of that number. FD: the connection. */
void fuse_raw_wake(int fd, uint64_t poll);

/*
 * The kernel sends what was read and not answered once more. It cannot before Linux 6.9: -EINVAL. Before the first
 * read.
 */
int fuse_raw_resend(int fd);

#endif
