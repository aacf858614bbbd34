/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk image's partitions, and the devices that map them: see partitions.c. */
#ifndef CMD_PARTITIONS_H
#define CMD_PARTITIONS_H

#include <sys/types.h>

#include "cmd/job.h"
#include "core/table/store.h"

struct image {
	struct job *j;
	const char *file;	/* as it was given */
	char *path;		/* absolute, as in tables ... */
	dev_t device;		/* ... or the number of a block device, else 0 */
	char *base;		/* the beginning of the names, including the delimiter */
	struct dm_parts parts;
};

/* partitions_image.c: opens FILE and, if LABEL, reads its partition table. EXIT_OK or EXIT_FAILED, after saying why. */
int image_open(struct image *i, struct job *j, const char *file, bool label);
void image_close(struct image *i);
char *image_name(const struct image *i, uint32_t number);	/* of the partition's device; freed by the caller */

/*
 * The partition that device NAME maps, in *OUT: 1. 0: it is another device, or there is none. -1: the daemon could not
 * be asked.
 */
int image_maps(const struct image *i, const char *name, struct dm_part *out);

#endif
