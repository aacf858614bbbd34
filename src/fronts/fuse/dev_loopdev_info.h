/* SPDX-License-Identifier: BSD-2-Clause */
/* The status of a loop device: see dev_loopdev_info.c. */
#ifndef FUSE_DEV_LOOPDEV_INFO_H
#define FUSE_DEV_LOOPDEV_INFO_H

#include <stdint.h>

struct dev_call;
struct dm_loop;
struct loop_info64;

/* Into L; of its flags only FLAGS. 0 or -errno. */
int loop_info(struct dm_loop *l, const struct loop_info64 *info, uint32_t flags);
/* What C has brought: 0 or -errno. */
int loop_old_in(const struct dev_call *c, struct loop_info64 *out);
/* The answer to C: 0, or -EOVERFLOW: there are numbers that it cannot have. */
int loop_old_status(struct dev_call *c, const struct loop_info64 *info);

#endif
