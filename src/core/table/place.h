/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the file system says of a word that may be a path. It may not answer, so it is asked on a helper thread, and what
 * the word means is decided later, by who knows the devices.
 */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct dm_place {
	bool exists;		/* there is something of that name */
	bool block;		/* it is a block node, or a link to one ... */
	uint32_t major, minor;	/* ... of this number */
	char *dev;		/* it lies below /dev, or a link leads there: that path; or NULL */
};

/* WORD is a path from CWD (NULL: only an absolute one is). FOLLOW: block and dev are wanted, too. 0 or -ENOMEM. Any thread. */
int dm_place_look(struct dm_place *p, const char *word, const char *cwd, bool follow);
void dm_place_free(struct dm_place *p);

#endif
