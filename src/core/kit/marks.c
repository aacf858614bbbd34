/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of regions on a disk: see marks.h. */
#include "core/kit/marks.h"

#include "core/device/step.h"
#include "core/path/child.h"
#include "core/world.h"

/* --- marking -------------------------------------------------------------------------------------------------------------- */

void marks_mark(struct marks *m, struct dm_req *r)
{
	bool post;

	r->home.next = NULL;
	pthread_mutex_lock(&m->lock);
	*m->last = &r->home;
	m->last = &r->home.next;
	post = !m->posted;
	m->posted = true;
	pthread_mutex_unlock(&m->lock);
	if (post)
		clerk_post(m->clerk, &m->mark);
}

/* All that wait; if there are none, the job is over. */
static struct loop_msg *marks_take_wanted(struct marks *m)
{
	struct loop_msg *first;

	pthread_mutex_lock(&m->lock);
	first = m->wanted;
	m->wanted = NULL;
	m->last = &m->wanted;
	m->posted = first;
	pthread_mutex_unlock(&m->lock);
	return first;
}

static uint64_t wanted_region(const struct marks *m, struct loop_msg *home)
{
	return region_of(m->regions, container(home, struct dm_req, home)->sector);
}

/* ERR: that was cut short, and AT's write ends so. */
static void mark_over(struct marks *m, struct loop_msg *at, int err)
{
	uint64_t region = wanted_region(m, at);
	struct region_news news;

	if (err) {
		m->kind->set(m->owner, region, false);
		region_not_marked(m->regions, container(at, struct dm_req, home), err, &news);
	} else {
		region_marked(m->regions, region, &news);
	}
	m->kind->news(m->owner, region, &news);
}

/* If that fails they go on as well, and find it out. */
static void marks_mark_all(struct marks *m, struct loop_msg *wanted)
{
	struct loop_msg *at, *next;
	int err;

	for (at = wanted; at; at = at->next)
		m->kind->set(m->owner, wanted_region(m, at), true);
	err = m->kind->write(m->owner, true, false);
	marks_are_used(m);
	for (at = wanted; at; at = next) {
		next = at->next;
		mark_over(m, at, err);
	}
}

static void job_mark(struct clerk *c, struct clerk_job *j)
{
	struct marks *m = container(j, struct marks, mark);
	struct loop_msg *wanted;

	(void)c;
	while ((wanted = marks_take_wanted(m)))
		marks_mark_all(m, wanted);
}

/* --- unmarking ------------------------------------------------------------------------------------------------------------- */

static void marks_clean(void *arg, uint64_t region)
{
	struct marks *m = arg;

	m->kind->set(m->owner, region, false);
}

static void marks_aged(struct marks *m, bool more);

static void marks_age(struct marks *m)
{
	struct region_ages ages = { .old = false };

	if (m->kind->may_unmark(m->owner))
		ages = regions_age(m->regions, m->step);
	m->aging = ages.old;
	if (m->aging)
		loop_post(m->world->io[0].loop, &m->flush_msg);
	else
		marks_aged(m, ages.marked);
}

/* MORE: some regions are marked that are too young. */
static void marks_aged(struct marks *m, bool more)
{
	m->aging = false;
	if (m->age_again) {
		m->age_again = false;
		marks_age(m);
	} else if (m->step) {
		loop_post(m->world->loop, &m->settled);
	} else if (more) {
		marks_are_used(m);
	}
}

/* The legs are flushed: what is old by now is on all of them. */
static void job_unmark(struct clerk *c, struct clerk_job *j)
{
	struct marks *m = container(j, struct marks, unmark);

	(void)c;
	if (!m->flush_err && m->kind->may_unmark(m->owner)) {
		regions_unmark(m->regions, marks_clean, m);
		m->kind->write(m->owner, m->step, true);
	}
	marks_aged(m, !m->flush_err);
}

static void leg_flushed(struct dm_req *r, int err)
{
	struct marks *m = container(r - r->which, struct marks, flushes[0]);

	if (err) {
		m->kind->flush_failed(m->owner, m->flushed[r->which], err);
		m->flush_err = err;
	}
	if (--m->flushing == 0)
		clerk_post(m->clerk, &m->unmark);
}

static void legs_flush(struct loop_msg *msg)
{
	struct marks *m = container(msg, struct marks, flush_msg);
	struct dm_io *io = &m->world->io[0];
	unsigned i, n = m->kind->legs(m->owner, m->flushed);

	dm_io_tick(io);
	m->flushing = n;
	m->flush_err = 0;
	for (i = 0; i < n; i++) {
		m->flushes[i] = (struct dm_req){ .op = DM_FLUSH, .done = leg_flushed, .which = (uint8_t)i };
		dm_send(io, m->flushed[i], &m->flushes[i]);
	}
}

static void job_age(struct clerk *c, struct clerk_job *j)
{
	struct marks *m = container(j, struct marks, age);

	(void)c;
	atomic_store(&m->armed, false);
	if (!m->aging)
		marks_age(m);
}

/* --- when ------------------------------------------------------------------------------------------------------------------ */

void marks_are_used(struct marks *m)
{
	if (atomic_load(&m->runs) && !atomic_exchange(&m->armed, true))
		loop_post(m->world->loop, &m->arm);
}

static void marks_armed(struct loop_msg *msg)
{
	struct marks *m = container(msg, struct marks, arm);

	if (atomic_load(&m->runs))
		loop_timer(m->world->loop, &m->timer, m->rest);
	else
		atomic_store(&m->armed, false);
}

static void marks_are_due(struct timer *t)
{
	struct marks *m = container(t, struct marks, timer);

	clerk_post(m->clerk, &m->age);
}

void marks_resume(struct marks *m)
{
	atomic_store(&m->runs, true);
	marks_are_used(m);
}

static void job_settle(struct clerk *c, struct clerk_job *j)
{
	struct marks *m = container(j, struct marks, settle);

	(void)c;
	m->step = m->asked;
	if (m->aging)
		m->age_again = true;
	else
		marks_age(m);
}

/* The message that arms the timer may still be on its way; it comes first. */
static void marks_settled(struct loop_msg *msg)
{
	struct marks *m = container(msg, struct marks, settled);
	struct dm_step *s = m->step;

	if (atomic_load(&m->armed)) {
		loop_post(m->world->loop, &m->settled);
		return;
	}
	m->step = NULL;
	dm_step_done(s, 0);
}

void marks_settle(struct marks *m, struct dm_step *s)
{
	atomic_store(&m->runs, false);
	if (timer_is_on(&m->timer)) {
		timer_stop(&m->timer);
		atomic_store(&m->armed, false);
	}
	m->asked = s;
	clerk_post(m->clerk, &m->settle);
}

void marks_init(struct marks *m, const struct marks_kind *kind, void *owner, struct dm_world *w, struct clerk *c, struct regions *g)
{
	*m = (struct marks){ .kind = kind, .owner = owner, .world = w, .clerk = c, .regions = g, .rest = TIMERS_SECOND };
	m->last = &m->wanted;
	pthread_mutex_init(&m->lock, NULL);
	m->mark.run = job_mark;
	m->age.run = job_age;
	m->unmark.run = job_unmark;
	m->settle.run = job_settle;
	m->flush_msg.run = legs_flush;
	m->arm.run = marks_armed;
	m->settled.run = marks_settled;
	timer_init(&m->timer, marks_are_due);
}

void marks_free(struct marks *m)
{
	if (m->kind)
		pthread_mutex_destroy(&m->lock);
}
