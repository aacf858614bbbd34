/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a mirror on a disk: see disk_log.h. */
#include "targets/mirror/disk_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/device/event.h"
#include "targets/mirror/mirror.h"

/* --- writing -------------------------------------------------------------------------------------------------------------- */

static void log_fails(struct disk_log *log, const char *what, const char *why)
{
	if (atomic_exchange(&log->failed, true))
		return;
	log_warn("mirror: the log on %s cannot be %s: %s", log->at.store->name, what, why);
	if (!log->beginning)
		dm_event_raise(log->mirror->target->table);
}

static void log_set(struct disk_log *log, uint64_t region, bool clean)
{
	if (mlog_is_clean(log->log, region) == clean)
		return;
	mlog_set_clean(log->log, region, clean);
	log->changed[(MLOG_BITS + region / 8) / log->block] = 1;
}

/* Blocks FROM to TO (excluded). */
static int log_write_blocks(struct disk_log *log, size_t from, size_t to, uint32_t flags)
{
	uint32_t sectors = log->block / DM_SECTOR;

	memset(log->changed + from, 0, to - from);
	return clerk_write(log->clerk, &log->at, from * sectors, (to - from) * sectors, log->log + from * log->block, flags);
}

static int log_flush(struct disk_log *log)
{
	int err = clerk_flush(log->clerk, &log->at);

	if (err)
		atomic_store(&log->flush_failed, true);
	return err;
}

/* What has changed goes to the device; DURABLE: with one flush. 0 or -errno. */
static int log_write(struct disk_log *log, bool durable, bool unmarks)
{
	uint32_t flags = unmarks ? DM_LAX | (durable ? DM_FUA : 0) : 0;
	size_t n = log->bytes / log->block, from, to = 0;
	int err = 0;

	for (from = 0; !err && from < n; from = to) {
		for (; from < n && !log->changed[from]; from++)
			;
		for (to = from; to < n && log->changed[to]; to++)
			;
		if (from < to)
			err = log_write_blocks(log, from, to, flags);
	}
	if (!err && durable && !unmarks)
		err = log_flush(log);
	if (err)
		memset(log->changed, 1, n);	/* nobody knows what of it is there */
	if (err && !dm_is_interrupted(err))
		log_fails(log, "written", strerror(-err));
	return err;
}

/* --- marks ---------------------------------------------------------------------------------------------------------------- */

static void log_mark(void *owner, uint64_t region, bool marked)
{
	log_set(owner, region, !marked);
}

/* If the log has failed, whoever waits finds that out (request.c). */
static int log_write_marks(void *owner, bool durable, bool unmarks)
{
	struct disk_log *log = owner;
	int err = atomic_load(&log->failed) ? 0 : log_write(log, durable, unmarks);

	return dm_is_interrupted(err) ? err : 0;
}

static bool log_may_unmark(void *owner)
{
	struct disk_log *log = owner;

	return !atomic_load(&log->failed) && !atomic_load(&log->mirror->flush_failed);
}

static unsigned log_legs(void *owner, const struct dm_at *at[])
{
	struct legs *legs = &((struct disk_log *)owner)->mirror->legs;
	unsigned i;

	for (i = 0; i < legs->n; i++)
		at[i] = &legs->of[i].at;
	return legs->n;
}

static void log_flush_failed(void *owner, const struct dm_at *at, int err)
{
	struct mirror *m = ((struct disk_log *)owner)->mirror;

	if (dm_is_interrupted(err))
		return;
	mirror_flush_failed(m);
	mirror_leg_fails(m, (unsigned)(container(at, struct leg, at) - m->legs.of), LEG_FLUSH);
}

static void log_news(void *owner, uint64_t region, const struct region_news *news)
{
	mirror_news(((struct disk_log *)owner)->mirror, region, news);
}

void disk_log_resume(struct disk_log *log)
{
	if (atomic_load(&log->failed))
		dm_event_raise(log->mirror->target->table);
	marks_resume(&log->marks);
}

/* --- the beginning ---------------------------------------------------------------------------------------------------------- */

/* What the log says of the regions, or none are synchronous. */
static void log_tells(struct disk_log *log)
{
	struct regions *g = &log->mirror->regions;
	uint64_t region;

	for (region = 0; region < g->n; region++)
		region_begins(g, region, mlog_is_clean(log->log, region));
}

/* It is marked everywhere in memory if it cannot be read. False: it is somebody else's, perhaps, and left alone. */
static bool log_read(struct disk_log *log)
{
	struct mirror *m = log->mirror;
	struct err e = ERR_INIT;
	int err = clerk_read(log->clerk, &log->at, 0, log->bytes / DM_SECTOR, log->log);
	bool ours;

	if (err) {
		memset(log->log, 0, log->bytes);
		log->stale = true;
		log_fails(log, "read", strerror(-err));
	}
	ours = !mlog_open(log->log, log->bytes, m->regions.n, m->begins, &e);
	if (!ours)
		log_fails(log, "used", e.text);
	else if (log->stale)
		mlog_open(log->log, log->bytes, m->regions.n, MIRROR_SYNC, &e);
	log_tells(log);
	return ours;
}

static void job_begin(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);
	bool ours;

	(void)j;
	atomic_store(&log->failed, false);
	atomic_store(&log->flush_failed, false);
	log->beginning = true;
	ours = log_read(log);
	memset(log->changed, 1, log->bytes / log->block);
	if (ours && !log_write(log, true, false))	/* also after it could not be read, as on Linux: its bits are believed later */
		log->stale = false;
	log->beginning = false;
	dm_step_done(log->asked, 0);
}

void disk_log_begin(struct disk_log *log, struct dm_step *s)
{
	log->asked = s;
	clerk_post(log->clerk, &log->begin);
}

int disk_log_new(struct disk_log *log, struct mirror *m, const struct dm_at *at, struct err *e)
{
	static const struct marks_kind kind = {
		.set = log_mark, .write = log_write_marks, .may_unmark = log_may_unmark, .legs = log_legs,
		.flush_failed = log_flush_failed, .news = log_news,
	};
	int err;

	log->at = *at;
	log->mirror = m;
	log->block = at->store->limits.logical;
	log->bytes = mlog_bytes(m->regions.n, log->block);
	if (log->bytes / DM_SECTOR > at->store->sectors)
		return err_set(e, -EINVAL, "the log of %llu regions needs %zu sectors, and '%.200s' has %llu", (unsigned long long)m->regions.n,
			       log->bytes / DM_SECTOR, at->store->name, (unsigned long long)at->store->sectors);
	log->begin.run = job_begin;
	log->log = aligned_alloc(4096, (log->bytes + 4095) / 4096 * 4096);
	log->changed = calloc(1, log->bytes / log->block);
	if (!log->log || !log->changed)
		return err_set(e, -ENOMEM, "no memory for the log of %llu regions", (unsigned long long)m->regions.n);
	err = clerk_new(&log->clerk, m->world, log, e);
	if (!err)
		marks_init(&log->marks, &kind, log, m->world, log->clerk, &m->regions);
	return err;
}

void disk_log_free(struct disk_log *log)
{
	clerk_free(log->clerk);
	marks_free(&log->marks);
	free(log->log);
	free(log->changed);
}
