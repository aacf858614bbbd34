/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the model checker's devices are files: the /dev of a session, and a directory as `mount` shows it. Both are in mount
 * namespaces of their own, and go with the process. This needs root; elsewhere there are none.
 */
#ifndef TESTS_CHECKER_FILES_H
#define TESTS_CHECKER_FILES_H

#include "fronts/fuse/fuse.h"
#include "support/temp.h"

struct files {
	struct fuse_front *front;	/* NULL: there are none */
	char directory[TEMP_PATH];	/* of the mount */
	bool session, mounted, stopped;
};

struct life;

/* Before any thread is there; then, with the world. */
void files_prepare(struct files *f);
void files_begin(struct life *l);
void files_end(struct life *l);		/* no client is there any more */
/*
 * The process is about to die with requests of its own under way, for which the kernel would wait for ever: they fail. In a signal
 * handler, too.
 */
void files_drop(void);
/* The Nth way to the device; false: there is none. */
bool files_path(const struct life *l, const struct dm_device *d, unsigned n, char *path, size_t size);

#endif
