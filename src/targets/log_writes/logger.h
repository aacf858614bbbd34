/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a disk: what was written to it goes to the log's device in the order in which it became durable (format.h says
 * the rest). It is a shared object of its device: a table that takes the place of another one writes on in the same log.
 *
 * A clerk writes the entries, many at once, and nobody waits for it but marks. What has not been flushed is kept in memory
 * (blocks.h), LOGGER_MEMORY at most: where that is not enough, writes are logged before the flush that they wait for, the oldest
 * first, and those that follow wait until the log has taken them.
 */
#ifndef TARGETS_LOG_WRITES_LOGGER_H
#define TARGETS_LOG_WRITES_LOGGER_H

#include "core/kit/clerk.h"
#include "core/kit/shared.h"
#include "core/table/args.h"
#include "targets/log_writes/blocks.h"

#define LOGGER_MEMORY ((size_t)64 << 20)

struct logger;

/* The log on LOG of what is written to DISK, in sectors of SECTOR_SIZE bytes. 0 or -errno and a sentence. Control thread. */
int logger_get(struct logger **out, const struct dm_at *log, const struct dm_at *disk, uint32_t sector_size, struct err *e);
void logger_put(struct logger *l);	/* NULL is harmless */

/* A line begins to use it (the log begins again if it was at its end), and uses it no more: the last one ends the log. */
void logger_join(struct logger *l);
/* True: DONE runs on the clerk's thread when the log is on its disk. False: others use it still. */
bool logger_leave(struct logger *l, struct clerk_job *done);

/* DONE runs when all that was to be logged so far has been; with EARLY also what no flush has covered. */
void logger_settle(struct logger *l, bool early, struct clerk_job *done);

/*
 * Where the log is, as words, when logger_settle() with EARLY is over and nothing has come since. restore: a log that was just
 * made goes on there; the first time only, since several lines may have it. 0 or -errno and a sentence. Control thread.
 */
int logger_save(struct logger *l, struct text *out, struct err *e);
int logger_restore(struct logger *l, const char *saved, struct err *e);

/* False: the log is full, or its device has failed. */
bool logger_is_on(const struct logger *l);

/* As block_take(), for R; when it comes later, r->done... of the line is told by GOT (log_writes.c). */
struct block *logger_take(struct logger *l, struct dm_req *r, size_t bytes);
void logger_give(struct logger *l, struct block *b);
void logger_keep(struct logger *l, struct block *b, struct vec v, size_t bytes);

/* A flush begins: B covers what was completed till now. It is over: with or without success. */
void logger_flush_begins(struct logger *l, struct block *b);
void logger_flushed(struct logger *l, struct block *b, int err);
/* A write or discard is over. */
void logger_wrote(struct logger *l, struct block *b);
/* Now: a mark. */
void logger_mark(struct logger *l, struct block *b);

uint32_t logger_sector_size(const struct logger *l);
/* "<entries> <last sector>" and perhaps " logging_disabled". */
void logger_status(struct logger *l, struct text *out);

/* The type's: R, which had to wait, has its block. */
void log_writes_got(void *arg, struct dm_req *r, struct block *b);

#endif
