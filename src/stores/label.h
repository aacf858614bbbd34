/* SPDX-License-Identifier: BSD-2-Clause */
/* Is there a disk label or partition table, and what is in it? The label guard of dm(4) asks, and disks do. */
#ifndef STORES_LABEL_H
#define STORES_LABEL_H

#include "core/table/store.h"

/*
 * Looks at the disk or image behind FD, whose blocks have BLOCK bytes: 1 and *OUT if a label is there, 0 if none,
 * -errno if it cannot be read.
 */
int label_parts(int fd, uint32_t block, struct dm_parts *out);	/* 0 or -errno; none is no failure */
int label_probe(int fd, uint32_t block, struct dm_label *out);

/* FD opened once more for a probe, without O_DIRECT, so that any read will do; negative if that is not possible. */
int probe_reopen(int fd);

#endif
