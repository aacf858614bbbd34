/* SPDX-License-Identifier: BSD-2-Clause */
/* Is there a disk label or partition table, and what is in it? For the label guard of dm(4), and for disks. */
#ifndef STORES_LABEL_H
#define STORES_LABEL_H

#include "core/table/store.h"

/*
 * Examines the disk or image FD, whose block size is BLOCK: 1 and *OUT if it has a label, 0 if not, -errno if it cannot
 * be read.
 */
int label_parts(int fd, uint32_t block, struct dm_parts *out);	/* 0 or -errno; none is not an error */
int label_probe(int fd, uint32_t block, struct dm_label *out);

/* Opens FD again for a probe, without O_DIRECT, so that any read is allowed; negative if that is not possible. */
int probe_reopen(int fd);

#endif
