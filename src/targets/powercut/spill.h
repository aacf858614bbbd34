/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spill file of a cache, as a store: a file without a name, which is gone with its daemon. Requests reach it like any other
 * store, so what fails there is told like any other failure.
 */
#ifndef POWERCUT_SPILL_H
#define POWERCUT_SPILL_H

#include "core/table/store.h"

struct spill {
	struct dm_store store;
	int fd;			/* -1: not open */
	char name[280];
};

/* In DIRECTORY, which may block. 0 or -errno and a sentence. */
int spill_open(struct spill *s, const char *directory, struct err *e);
/* Before its first request. */
void spill_begin(struct spill *s, struct dm_world *w, const char *directory);
void spill_close(struct spill *s);

#endif
