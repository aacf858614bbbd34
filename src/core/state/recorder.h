/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever keeps the state of a world (record.h), so that a later daemon has the same devices: keys and values, in
 * transactions. The core puts text there and reads it again; where it is kept is none of its business. Control thread.
 */
#ifndef CORE_RECORDER_H
#define CORE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/journal.h"

struct dm_recorder {
	/* Part of the next commit; VALUE NULL: the key goes. Without memory the commit fails. */
	void (*put)(struct dm_recorder *r, const char *key, const char *value, size_t len);
	/* The same with the value that WRITE adds to OUT; a long one is not copied. */
	void (*put_by)(struct dm_recorder *r, const char *key, void (*write)(const void *arg, struct text *out), const void *arg);
	/* What was put since the last commit is not meant. */
	void (*forget)(struct dm_recorder *r);
	/* All that was put is kept, or nothing of it: 0, or -errno and a sentence. */
	int (*commit)(struct dm_recorder *r, struct err *e);
	/* The same for what an earlier commit has changed and is to be as before; there is room for it on a full disk. */
	int (*commit_undo)(struct dm_recorder *r, struct err *e);
	/* As journal_sync() and journal_failed() (base/journal.h). */
	bool (*sync)(struct dm_recorder *r, struct journal_wait *w);
	int (*failed)(struct dm_recorder *r, struct err *e);
	/* The value that was committed last, or NULL. Valid until the next commit. */
	const char *(*get)(struct dm_recorder *r, const char *key, size_t *len);
	/* All of them, in no particular order; not 0 from SEE ends it. */
	int (*each)(struct dm_recorder *r, int (*see)(void *arg, const char *key, const char *value, size_t len), void *arg,
		    struct err *e);
	bool durable;		/* sync() may be something to wait for */
};

#endif
