/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was written to the recorded disk, in the order of its log (targets/log_writes/format.h), and the moments at which its power
 * may be cut:
 *
 *   epoch      the writes between two flushes; the next flush makes all of them durable
 *   cut        just before a flush, or a write with FUA, completes; or at the end of the recording
 *   candidate  a write that may be lost in a cut, as a whole or in some of its atomic units
 *
 * The log does not say when a write was submitted, and one without FUA stands after the marks and the writes with FUA of its
 * epoch even if it came before them. So before a flush all writes of the epoch are candidates, and all marks in it are given: that is what
 * the promise allows at the last moment before the flush completes. Before a write with FUA completes, those without are
 * taken to be lost, which is always allowed.
 */
#ifndef CRASH_HISTORY_H
#define CRASH_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct history_write {
	uint64_t entry;			/* number in the log */
	uint64_t sector, count;		/* of 512 bytes */
	const uint8_t *data;		/* NULL: it was discarded, and reads as zeros */
	uint32_t epoch;
	bool fua;
};

struct history_mark {
	uint64_t entry;
	char *text;
};

/* AFTER: not a cut, but the disk as it was when its file system had been unmounted. */
enum cut_kind { CUT_FLUSH, CUT_FUA, CUT_END, CUT_AFTER };

struct history_cut {
	uint64_t entry;			/* that has not completed; at the end the number of entries */
	enum cut_kind kind;
	uint32_t epoch;
	size_t first, last;		/* the writes of the epoch that the log has before the cut, without LAST */
	size_t marks;			/* so many were answered before */
};

struct history {
	uint64_t size;			/* of the disk: bytes */
	uint32_t unit;			/* atomic: bytes */
	struct history_log {
		const uint8_t *at;	/* mapped; NULL: there is none */
		size_t size;
	} log, after;
	uint64_t entries;
	bool ended;			/* the log has its end mark: what was not flushed at the end is there, too */
	uint32_t epochs;
	struct history_write *writes;
	size_t n_writes;		/* those after the end, too */
	struct history_mark *marks;
	size_t n_marks;
	struct history_cut *cuts;	/* in their order, the end is the last; one more follows, AFTER */
	size_t n_cuts;
};

/* Reads the log FD, of a disk of SIZE bytes, up to its end mark. NAME is for sentences. 0 or -errno and a sentence. */
int history_read(struct history *h, int fd, const char *name, uint64_t size, uint32_t unit, struct err *e);
/* Reads a second log: what was written after the end. */
int history_read_after(struct history *h, int fd, const char *name, struct err *e);
void history_free(struct history *h);

/* May write W be lost in cut C? */
bool history_is_candidate(const struct history *h, const struct history_cut *c, size_t w);

#endif
