/* SPDX-License-Identifier: BSD-2-Clause */
/* Is there a disk label or partition table, and what is in it? For the label guard of dm(4), and for disks. */
#ifndef STORES_LABEL_H
#define STORES_LABEL_H

#include "core/table/store.h"

/*
 * Both examine the disk or image FD, whose block size is BLOCK. FD is the caller's alone, since its file offset moves, and has no
 * O_DIRECT, since any bytes are read.
 */
int label_probe(int fd, uint32_t block, struct dm_label *out);	/* 1 and *OUT, 0 if it has no label, or -errno if it cannot be read */
int label_parts(int fd, uint32_t block, struct dm_parts *out);	/* 0 or -errno; none is not an error */

#endif
