/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File descriptors reserved for clients that must get in when there are no others: they are open on nothing, and one is
 * closed when its place is needed. If it cannot be reopened, that is tried again later.
 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

#include <stdbool.h>

#define SPARE_MOST 16
#define SPARE_SCARCE 64		/* if so few are left, those who can do without another one should */

struct spare {
	int fds[SPARE_MOST];
	unsigned n, most;
};

void spare_init(struct spare *s, unsigned most);	/* MOST: SPARE_MOST at most */
void spare_fill(struct spare *s);			/* to be called when a descriptor may have become free */
bool spare_use(struct spare *s);			/* closes one; false: there is none */
void spare_free(struct spare *s);

/* Is FD, which was just opened and so is the lowest free number, one of the last that this process may have? */
bool spare_is_scarce(int fd);

#endif
