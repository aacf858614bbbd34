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
		dm_event_raise(log->mirror->target);
}

static void log_set(struct disk_log *log, uint64_t region, bool clean)
{
	if (mlog_is_clean(log->log, region) == clean)
		return;
	mlog_set_clean(log->log, region, clean);
	log->changed[(MLOG_BITS + region / 8) / log->block] = 1;
}

/* Blocks FROM to TO (excluded). */
static int log_write_blocks(struct disk_log *log, size_t from, size_t to)
{
	uint32_t sectors = log->block / DM_SECTOR;

	memset(log->changed + from, 0, to - from);
	return clerk_write(log->clerk, &log->at, from * sectors, (to - from) * sectors, log->log + from * log->block, 0);
}

/* What has changed goes to the device; DURABLE: with one flush. 0 or -errno. */
static int log_write(struct disk_log *log, bool durable)
{
	size_t n = log->bytes / log->block, from, to = 0;
	int err = 0;

	for (from = 0; !err && from < n; from = to) {
		for (; from < n && !log->changed[from]; from++)
			;
		for (to = from; to < n && log->changed[to]; to++)
			;
		if (from < to)
			err = log_write_blocks(log, from, to);
	}
	if (!err && durable) {
		err = clerk_flush(log->clerk, &log->at);
		if (err)
			atomic_store(&log->flush_failed, true);
	}
	if (err && !mirror_is_interrupted(err))
		log_fails(log, "written", strerror(-err));
	return err;
}

/* --- marks ---------------------------------------------------------------------------------------------------------------- */

void disk_log_mark(struct disk_log *log, struct dm_req *r)
{
	bool post;

	r->home.next = NULL;
	pthread_mutex_lock(&log->lock);
	*log->last = &r->home;
	log->last = &r->home.next;
	post = !log->posted;
	log->posted = true;
	pthread_mutex_unlock(&log->lock);
	if (post)
		clerk_post(log->clerk, &log->mark);
}

/* All that wait; if there are none, the job is over. */
static struct loop_msg *log_take_wanted(struct disk_log *log)
{
	struct loop_msg *first;

	pthread_mutex_lock(&log->lock);
	first = log->wanted;
	log->wanted = NULL;
	log->last = &log->wanted;
	log->posted = first;
	pthread_mutex_unlock(&log->lock);
	return first;
}

static uint64_t wanted_region(const struct disk_log *log, struct loop_msg *home)
{
	return region_of(&log->mirror->regions, container(home, struct dm_req, home)->sector);
}

/* If the log has failed they go on as well, and find that out (request.c). */
static void log_mark_all(struct disk_log *log, struct loop_msg *wanted)
{
	struct loop_msg *at, *next;
	struct region_news news;

	for (at = wanted; at; at = at->next)
		log_set(log, wanted_region(log, at), false);
	if (!atomic_load(&log->failed))
		log_write(log, true);
	disk_log_is_used(log);
	for (at = wanted; at; at = next) {
		uint64_t region = wanted_region(log, at);

		next = at->next;
		region_marked(&log->mirror->regions, region, &news);
		mirror_news(log->mirror, region, &news);
	}
}

static void job_mark(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);
	struct loop_msg *wanted;

	(void)j;
	while ((wanted = log_take_wanted(log)))
		log_mark_all(log, wanted);
}

/* --- unmarking ------------------------------------------------------------------------------------------------------------- */

static void log_clean(void *arg, uint64_t region)
{
	log_set(arg, region, true);
}

static void log_aged(struct disk_log *log, bool more);

static void log_age(struct disk_log *log)
{
	struct region_ages ages = { .old = false };

	if (!atomic_load(&log->failed) && !atomic_load(&log->mirror->flush_failed))
		ages = regions_age(&log->mirror->regions, log->step);
	log->aging = ages.old;
	if (log->aging)
		loop_post(log->mirror->world->io[0].loop, &log->flush_msg);
	else
		log_aged(log, ages.marked);
}

/* MORE: some regions are marked that are too young. */
static void log_aged(struct disk_log *log, bool more)
{
	log->aging = false;
	if (log->age_again) {
		log->age_again = false;
		log_age(log);
	} else if (log->step) {
		loop_post(log->mirror->world->loop, &log->settled);
	} else if (more) {
		disk_log_is_used(log);
	}
}

/* The legs are flushed: what is old by now is on all of them. */
static void job_unmark(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);

	(void)j;
	if (!log->flush_err && !atomic_load(&log->failed)) {
		regions_unmark(&log->mirror->regions, log_clean, log);
		log_write(log, log->step);
	}
	log_aged(log, !log->flush_err);
}

static void leg_flushed(struct dm_req *r, int err)
{
	struct disk_log *log = container(r - r->which, struct disk_log, flushes[0]);
	struct mirror *m = log->mirror;

	if (err && !mirror_is_interrupted(err)) {
		atomic_store(&m->flush_failed, true);
		mirror_leg_fails(m, r->which, LEG_FLUSH);
	}
	if (err)
		log->flush_err = err;
	if (--log->flushing == 0)
		clerk_post(log->clerk, &log->unmark);
}

/* On the first io thread, so that marks do not wait for the legs. */
static void legs_flush(struct loop_msg *m)
{
	struct disk_log *log = container(m, struct disk_log, flush_msg);
	struct legs *legs = &log->mirror->legs;
	struct dm_io *io = &log->mirror->world->io[0];
	unsigned i, n = legs->n;

	dm_io_tick(io);
	log->flushing = n;
	log->flush_err = 0;
	for (i = 0; i < n; i++) {
		log->flushes[i] = (struct dm_req){ .op = DM_FLUSH, .done = leg_flushed, .which = (uint8_t)i };
		dm_send(io, &legs->of[i].at, &log->flushes[i]);
	}
}

static void job_age(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);

	(void)j;
	atomic_store(&log->armed, false);
	if (!log->aging)
		log_age(log);
}

/* --- when ------------------------------------------------------------------------------------------------------------------ */

void disk_log_is_used(struct disk_log *log)
{
	if (atomic_load(&log->runs) && !atomic_exchange(&log->armed, true))
		loop_post(log->mirror->world->loop, &log->arm);
}

static void log_armed(struct loop_msg *m)
{
	struct disk_log *log = container(m, struct disk_log, arm);

	if (atomic_load(&log->runs))
		loop_timer(log->mirror->world->loop, &log->timer, MLOG_REST);
	else
		atomic_store(&log->armed, false);
}

static void log_is_due(struct timer *t)
{
	struct disk_log *log = container(t, struct disk_log, timer);

	clerk_post(log->clerk, &log->age);
}

void disk_log_resume(struct disk_log *log)
{
	atomic_store(&log->runs, true);
	if (atomic_load(&log->failed))
		dm_event_raise(log->mirror->target);
	disk_log_is_used(log);
}

static void job_settle(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);

	(void)j;
	log->step = log->asked;
	if (log->aging)
		log->age_again = true;
	else
		log_age(log);
}

/* The message that arms the timer may still be on its way; it comes first. */
static void log_settled(struct loop_msg *m)
{
	struct disk_log *log = container(m, struct disk_log, settled);
	struct dm_step *s = log->step;

	if (atomic_load(&log->armed)) {
		loop_post(log->mirror->world->loop, &log->settled);
		return;
	}
	log->step = NULL;
	dm_step_done(s, 0);
}

void disk_log_settle(struct disk_log *log, struct dm_step *s)
{
	atomic_store(&log->runs, false);
	if (timer_is_on(&log->timer)) {
		timer_stop(&log->timer);
		atomic_store(&log->armed, false);
	}
	log->asked = s;
	clerk_post(log->clerk, &log->settle);
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

static void log_read(struct disk_log *log)
{
	struct mirror *m = log->mirror;
	struct err e = ERR_INIT;
	int err = clerk_read(log->clerk, &log->at, 0, log->bytes / DM_SECTOR, log->log);

	if (err) {
		memset(log->log, 0, log->bytes);
		log_fails(log, "read", strerror(-err));
	}
	if (mlog_open(log->log, log->bytes, m->regions.n, err ? MIRROR_SYNC : m->begins, &e))
		log_fails(log, "used", e.text);
	log_tells(log);
}

static void job_begin(struct clerk *c, struct clerk_job *j)
{
	struct disk_log *log = clerk_owner(c);

	(void)j;
	atomic_store(&log->failed, false);
	atomic_store(&log->flush_failed, false);
	log->beginning = true;
	log_read(log);
	memset(log->changed, 1, log->bytes / log->block);
	if (!atomic_load(&log->failed))
		log_write(log, true);
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
	log->at = *at;
	log->mirror = m;
	log->last = &log->wanted;
	log->block = at->store->limits.logical;
	log->bytes = mlog_bytes(m->regions.n, log->block);
	if (log->bytes / DM_SECTOR > at->store->sectors)
		return err_set(e, -EINVAL, "the log of %llu regions needs %zu sectors, and '%.200s' has %llu", (unsigned long long)m->regions.n,
			       log->bytes / DM_SECTOR, at->store->name, (unsigned long long)at->store->sectors);
	log->mark.run = job_mark;
	log->age.run = job_age;
	log->unmark.run = job_unmark;
	log->begin.run = job_begin;
	log->settle.run = job_settle;
	log->flush_msg.run = legs_flush;
	log->arm.run = log_armed;
	log->settled.run = log_settled;
	timer_init(&log->timer, log_is_due);
	log->log = aligned_alloc(4096, (log->bytes + 4095) / 4096 * 4096);
	log->changed = calloc(1, log->bytes / log->block);
	if (!log->log || !log->changed)
		return err_set(e, -ENOMEM, "no memory for the log of %llu regions", (unsigned long long)m->regions.n);
	return clerk_new(&log->clerk, m->world, log, e);
}

void disk_log_free(struct disk_log *log)
{
	clerk_free(log->clerk);
	free(log->log);
	free(log->changed);
}
