/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a log of writes (format.h) from a file or a disk, entry by entry. Everything is checked before it is believed: what
 * does not fit is refused with a sentence that says what, and at which byte.
 *
 *	struct wlog_entry entry;
 *	int found;
 *
 *	if (wlog_open(&log, fd, name, &e))
 *		...
 *	while ((found = wlog_next(log, &entry, &e)) > 0)
 *		if (entry.kind == WLOG_IS_WRITE)
 *			wlog_data(log, &entry, 0, buffer, entry.count << DM_SECTOR_SHIFT, &e);
 */
#ifndef TARGETS_LOG_WRITES_READ_H
#define TARGETS_LOG_WRITES_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum wlog_kind { WLOG_IS_WRITE, WLOG_IS_DISCARD, WLOG_IS_FLUSH, WLOG_IS_MARK };

struct wlog_entry {
	uint64_t number;	/* from 0 */
	uint64_t at;		/* byte of the log where it stands */
	enum wlog_kind kind;
	uint32_t flags;		/* WLOG_*; a write may have WLOG_FLUSH: that flush came before it */
	uint64_t sector, count;	/* of 512 bytes; 0 of a flush and a mark */
	uint64_t data;		/* byte of the log where the data of a write stand */
	const char *mark;	/* text of a mark, else ""; valid until the next call */
};

struct wlog;

/* FD stays the caller's, and is only read at places of its own (pread); NAME is for sentences. 0 or -errno and a sentence. */
int wlog_open(struct wlog **out, int fd, const char *name, struct err *e);
void wlog_close(struct wlog *l);	/* NULL is harmless */

uint32_t wlog_sector_size(const struct wlog *l);
uint64_t wlog_entries(const struct wlog *l);

/* The byte of the log where the next entry stands. */
uint64_t wlog_at(const struct wlog *l);

/* 1 and the next entry; 0 at the end; -errno and a sentence. */
int wlog_next(struct wlog *l, struct wlog_entry *out, struct err *e);

/* The next entry will be the first one. */
void wlog_rewind(struct wlog *l);

/* BYTES of the data of ENTRY, a write, from its byte OFFSET on. 0 or -errno and a sentence. Any thread. */
int wlog_data(const struct wlog *l, const struct wlog_entry *entry, uint64_t offset, void *to, size_t bytes, struct err *e);

#endif
