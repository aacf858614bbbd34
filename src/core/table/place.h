/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the file system says about a word that may be a path. That may block, so it is done on a helper thread; what the
 * word means is decided later, when the devices are known.
 */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct dm_place {
	bool exists;		/* something has this name */
	bool block;		/* it is a block node or a link to one ... */
	uint32_t major, minor;	/* ... with this number */
	char *dev;		/* it is below /dev, or a link leads there: that path; or NULL */
};

/*
 * WORD, which may be a path behind a type's name and options, as it is for the thread CALLER (0: nobody knows): /proc/self and
 * /dev/fd are not the daemon's. To be freed; NULL: no memory.
 */
char *dm_place_of_caller(const char *word, int caller);

/* WORD, which is a path relative to CWD (NULL: only absolute paths are), in PATH, of PATH_MAX bytes. False: it is none, or too long. */
bool dm_place_path(const char *word, const char *cwd, char *path);

/*
 * WORD is a path relative to CWD (NULL: only absolute paths are). FOLLOW: block and dev are wanted as well. 0 or
 * -ENOMEM. Any thread.
 */
int dm_place_look(struct dm_place *p, const char *word, const char *cwd, bool follow);
void dm_place_free(struct dm_place *p);

#endif
