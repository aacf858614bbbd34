/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File descriptors kept back for clients that must get in when there are no more: they are open on nothing, and one is
 * closed when its place is needed. What could not be opened again is tried later.
 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

#include <stdbool.h>

#define SPARE_MOST 16
#define SPARE_SCARCE 64		/* so many are left: whoever can do without another one does */

struct spare {
	int fds[SPARE_MOST];
	unsigned n, most;
};

void spare_init(struct spare *s, unsigned most);	/* MOST: SPARE_MOST at most */
void spare_fill(struct spare *s);			/* call it when a descriptor may have become free */
bool spare_use(struct spare *s);			/* closes one; false: there is none */
void spare_free(struct spare *s);

/* Is FD, just opened and so the lowest number that was free, one of the last that this process may have? */
bool spare_is_scarce(int fd);

#endif
