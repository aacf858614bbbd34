/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a disk: see logger.h. What is logged when is in pending.c; pen.c puts it on the device. */
#include "targets/log_writes/logger.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/world.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/pen.h"
#include "targets/log_writes/pending.h"

struct logger {
	struct dm_shared shared;	/* first */
	struct dm_at at;
	const void *disk;		/* whose writes these are (dm_store_end()); NULL: nobody has said yet */
	uint32_t sector_size;
	struct clerk *clerk;
	struct clerk_job job;		/* writes what is due */
	struct block_memory *memory;
	struct pen pen;			/* the clerk's ... */
	int off;			/* ... as why it is off: -ENOSPC, or what the device said */
	struct block end;		/* the mark at the end */
	unsigned lines;			/* that use it; control thread */
	bool ended;
	bool restored;			/* another program has begun it */

	atomic_bool on;
	pthread_mutex_t lock;		/* guards what follows */
	struct pending pending;
	bool posted;			/* the job is under way, and will see what becomes due */
	uint64_t entries, next;		/* in the log; the next free sector of 512 bytes */
};

bool logger_is_on(const struct logger *l)
{
	return atomic_load_explicit(&l->on, memory_order_relaxed);
}

uint32_t logger_sector_size(const struct logger *l)
{
	return l->sector_size;
}

/* With the lock held: is the clerk to be called, for what is due now? */
static bool must_post(struct logger *l)
{
	bool post = l->pending.due.first && !l->posted;

	l->posted |= post;
	return post;
}

static void unlock_and_post(struct logger *l)
{
	bool post = must_post(l);

	pthread_mutex_unlock(&l->lock);
	if (post)
		clerk_post(l->clerk, &l->job);
}

/* All that was completed goes to the log: its memory is wanted, or nobody will flush it. */
static void log_early(struct logger *l)
{
	pthread_mutex_lock(&l->lock);
	pending_early(&l->pending);
	unlock_and_post(l);
}

struct block *logger_take(struct logger *l, struct dm_req *r, size_t bytes)
{
	struct block *b = block_take(l->memory, r, bytes);

	if (!b)
		log_early(l);
	return b;
}

void logger_give(struct logger *l, struct block *b)
{
	block_give(l->memory, b);
}

void logger_keep(struct logger *l, struct block *b, struct vec v, size_t bytes)
{
	block_keep(l->memory, b, v, bytes);
}

/* With the lock: nothing is to wait for a flush, because its memory is wanted, or because it will not be logged. */
static void hurry(struct logger *l)
{
	if (block_memory_short(l->memory) || !logger_is_on(l))
		pending_early(&l->pending);
}

void logger_flush_begins(struct logger *l, struct block *b)
{
	pthread_mutex_lock(&l->lock);
	pending_flush_begins(&l->pending, b);
	pthread_mutex_unlock(&l->lock);
}

void logger_flushed(struct logger *l, struct block *b, int err)
{
	pthread_mutex_lock(&l->lock);
	if (err)
		pending_flush_failed(&l->pending, b);
	else
		pending_flushed(&l->pending, b);
	hurry(l);
	unlock_and_post(l);
	if (err)
		logger_give(l, b);
}

void logger_wrote(struct logger *l, struct block *b)
{
	pthread_mutex_lock(&l->lock);
	if (b->flags & WLOG_FUA)
		pending_durable(&l->pending, b);
	else
		pending_wrote(&l->pending, b);
	hurry(l);
	unlock_and_post(l);
}

void logger_mark(struct logger *l, struct block *b)
{
	pthread_mutex_lock(&l->lock);
	blocks_add(&l->pending.due, b);
	unlock_and_post(l);
}

/* Nothing is logged any more; what waits for a flush goes, too. */
static int turn_off(struct logger *l, int err, const char *why)
{
	l->off = err;
	if (atomic_exchange(&l->on, false)) {
		log_warn("log-writes: nothing more is logged on %s: %s", l->shared.store->name, why);
		log_early(l);
	}
	return err;
}

/*
 * The place of B in the log: 0, or -ENOSPC. As on Linux the sector that was found to be past the end stays taken, and the last
 * one of the device is never used.
 */
static int find_place(struct logger *l, const struct block *b, uint64_t *sector)
{
	uint64_t unit = l->sector_size / DM_SECTOR, data = b->flags & WLOG_DISCARD ? 0 : b->count;
	int err = 0;

	pthread_mutex_lock(&l->lock);
	*sector = l->next;
	l->next += unit + data;
	if (l->next >= l->at.store->sectors)
		err = -ENOSPC;
	else
		l->entries++;
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* 0 or -errno when B is in the log, or on its way. */
static int log_block(struct logger *l, const struct block *b)
{
	uint64_t sector;
	int err;

	if (!logger_is_on(l))
		return l->off;
	err = pen_begin_log(&l->pen, l->clerk);
	if (!err && find_place(l, b, &sector))
		return turn_off(l, -ENOSPC, "its device is full");
	if (!err)
		err = pen_entry(&l->pen, l->clerk, sector, b, l->memory);
	if (!err && b->flags & (WLOG_FUA | WLOG_MARK))
		err = pen_super(&l->pen, l->clerk, l->entries);
	return err ? turn_off(l, err, "its device has failed") : 0;
}

static void log_blocks(struct logger *l, struct blocks *list)
{
	struct block *b;
	int err;

	while ((b = blocks_take(list))) {
		err = log_block(l, b);
		if (b->mark && b->over)
			b->over(b, err);
		else if (!b->mark)
			block_give(l->memory, b);
	}
	err = pen_finish(&l->pen, l->clerk);
	if (err)
		turn_off(l, err, "its device has failed");
}

static void logger_work(struct clerk *c, struct clerk_job *j)
{
	struct logger *l = clerk_owner(c);
	struct blocks list;
	bool more;

	(void)j;
	do {
		blocks_init(&list);
		pthread_mutex_lock(&l->lock);
		blocks_move(&list, &l->pending.due);
		more = list.first;
		l->posted = more;
		pthread_mutex_unlock(&l->lock);
		log_blocks(l, &list);
	} while (more);
}

void logger_settle(struct logger *l, bool early, struct clerk_job *done)
{
	if (early)
		log_early(l);
	clerk_post(l->clerk, done);
}

/* Entries, the next sector, the size of a sector, why it is off, has it ended? */
#define LOGGER_SAVED "1 %llu %llu %u %d %d"

int logger_save(struct logger *l, struct text *out, struct err *e)
{
	if (l->pending.unflushed.first || l->pending.due.first)
		return err_set(e, -EBUSY, "what was not flushed is in memory still");
	text_printf(out, LOGGER_SAVED, (unsigned long long)l->entries, (unsigned long long)l->next, l->sector_size,
		    logger_is_on(l) ? 0 : l->off, l->ended);
	return 0;
}

int logger_restore(struct logger *l, const char *saved, struct err *e)
{
	unsigned long long entries, next;
	unsigned size;
	int off, ended;

	if (sscanf(saved, LOGGER_SAVED, &entries, &next, &size, &off, &ended) != 5 || size != l->sector_size || !next)
		return err_set(e, -EINVAL, "where its log ends was saved in a form that this version does not know");
	if (l->restored)
		return 0;
	l->restored = true;
	l->entries = entries;
	l->next = next;
	l->off = off;
	l->ended = ended;
	l->pen.begun = entries;
	atomic_store(&l->on, !off);
	return 0;
}

/* The log begins, or begins again. The clerk has nothing to do. */
static void logger_begin(struct logger *l)
{
	l->ended = l->pen.begun = false;
	pthread_mutex_lock(&l->lock);
	l->entries = 0;
	l->next = l->sector_size / DM_SECTOR;
	pthread_mutex_unlock(&l->lock);
	atomic_store(&l->on, true);
}

void logger_join(struct logger *l)
{
	if (!l->lines++ && l->ended)
		logger_begin(l);
}

bool logger_leave(struct logger *l, struct clerk_job *done)
{
	if (--l->lines)
		return false;
	l->ended = true;
	l->end = (struct block){ .flags = WLOG_MARK, .mark = WLOG_END_MARK };
	log_early(l);
	logger_mark(l, &l->end);
	clerk_post(l->clerk, done);
	return true;
}

void logger_status(struct logger *l, struct text *out)
{
	pthread_mutex_lock(&l->lock);
	text_printf(out, "%llu %llu", (unsigned long long)l->entries, (unsigned long long)l->next - 1);
	pthread_mutex_unlock(&l->lock);
	if (!logger_is_on(l))
		text_add(out, " logging_disabled");
}

static int shared_begin(struct dm_shared *s, struct err *e)
{
	struct logger *l = (struct logger *)s;
	int err;

	pthread_mutex_init(&l->lock, NULL);
	l->at.store = s->store;
	l->job.run = logger_work;
	err = pending_new(&l->pending, e);
	if (!err)
		err = clerk_new(&l->clerk, s->world, l, e);
	if (!err)
		err = block_memory_new(&l->memory, LOGGER_MEMORY, log_writes_got, l, e);
	if (!err)
		err = pen_begin(&l->pen, &l->at, e);
	return err;
}

static void shared_end(struct dm_shared *s)
{
	struct logger *l = (struct logger *)s;

	clerk_free(l->clerk);
	block_memory_free(l->memory);
	pen_end(&l->pen);
	pending_free(&l->pending);
	pthread_mutex_destroy(&l->lock);
}

static const struct dm_shared_kind logger_kind = {
	.name = "a log of writes", .size = sizeof(struct logger), .begin = shared_begin, .end = shared_end,
};

/* One disk's writes and no other's: sector numbers of two would be mixed. */
static int logger_bind(struct logger *l, const struct dm_at *disk, uint32_t sector_size, struct err *e)
{
	const void *end = dm_store_end(disk->store);

	if (l->disk && (l->disk != end || l->sector_size != sector_size))
		return err_set(e, -EBUSY, "'%s' is the log of another device, or of this one with blocks of another size: each needs a "
			       "log of its own", l->shared.store->name);
	if (l->disk)
		return 0;
	l->disk = end;
	l->sector_size = l->pen.sector_size = sector_size;
	logger_begin(l);
	return 0;
}

int logger_get(struct logger **out, const struct dm_at *log, const struct dm_at *disk, uint32_t sector_size, struct err *e)
{
	struct dm_shared *s;
	int err;

	*out = NULL;
	err = dm_shared_get(&s, &logger_kind, log->store, e);
	if (!err && (err = logger_bind((struct logger *)s, disk, sector_size, e)))
		dm_shared_put(s);
	if (!err)
		*out = (struct logger *)s;
	return err;
}

void logger_put(struct logger *l)
{
	dm_shared_put((struct dm_shared *)l);
}
