/* SPDX-License-Identifier: BSD-2-Clause */
/* The power comes back: what survives is written to the disk below, and whoever kept copies of the disk forgets them. */
#include <errno.h>
#include <string.h>

#include "core/device/event.h"
#include "targets/powercut/power.h"

bool power_is_off(const struct dm_target *t)
{
	struct power *p = power_line(t)->disk;
	bool off;

	pthread_mutex_lock(&p->lock);
	off = p->state != POWER_UP;
	pthread_mutex_unlock(&p->lock);
	return off;
}

/* What hangs has to fail first: those who wait for it have the device open. */
static void nothing_hangs(struct power *p)
{
	struct dm_req *refused = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->state == POWER_CUT) {
		p->hangs = false;
		refused = power_take(p, NULL);
	}
	pthread_mutex_unlock(&p->lock);
	power_refuse_all(refused);
}

void power_release(struct dm_target *t)
{
	struct power *p = power_line(t)->disk;

	pthread_mutex_lock(&p->lock);
	p->want_hang = false;
	pthread_mutex_unlock(&p->lock);
	nothing_hangs(p);
}

/* The device that line L is active in, or NULL. */
static struct dm_device *line_device(const struct line *l)
{
	const struct dm_table *t = l->table;
	struct dm_device *d = (struct dm_device *)t->device;

	return d && d->active == t ? d : NULL;
}

static int nobody_writes(struct power *p, struct err *e)
{
	struct list *n, *next;

	list_each(n, next, &p->lines) {
		struct dm_device *d = line_device(container(n, struct line, node));

		if (d && dm_above_unused(d, e))
			return e->code;
	}
	return 0;
}

int power_prepare_restore(struct dm_target *t, struct err *e)
{
	struct power *p = power_line(t)->disk;

	if (!power_is_off(t))
		return err_set(e, -EINVAL, "the power of '%s' is on", p->shared.store->name);
	if (power_is_busy(p))
		return err_set(e, -EBUSY, "the power of '%s' is being cut or restored", p->shared.store->name);
	nothing_hangs(p);
	return nobody_writes(p, e);
}

int power_restore(struct dm_target *t, struct dm_ask *a)
{
	struct power *p = power_line(t)->disk;
	struct list *n, *next;

	if (power_prepare_restore(t, &a->err))
		return a->err.code;
	list_each(n, next, &p->lines)
		container(n, struct line, node)->told = false;
	p->restore_ask = a;
	pthread_mutex_lock(&p->lock);
	p->state = POWER_RESTORING;
	pthread_mutex_unlock(&p->lock);
	back_restore(p);
	return DM_HELD;
}

static void restore_ends(struct power *p, int err)
{
	struct dm_ask *a = p->restore_ask;

	p->restore_ask = NULL;
	if (err)
		err_set(&a->err, err, "what survives could not be written to '%s': %s; the power stays off", p->shared.store->name,
			strerror(-err));
	dm_ask_done(a, err);
	power_steps(p);
}

static void power_is_on(struct power *p)
{
	struct dm_req *refused;

	pthread_mutex_lock(&p->lock);
	p->state = POWER_UP;
	p->epoch++;
	p->writes = p->flushes = 0;
	p->trigger.when = NEVER;
	p->cache.next = 1;
	p->seed = survive_next_seed(p->seed);
	p->mode = p->words.mode;
	p->want_hang = p->words.hangs;
	refused = power_take(p, NULL);
	pthread_mutex_unlock(&p->lock);
	power_refuse_all(refused);
	restore_ends(p, 0);
}

/* One device after the other; lines may come and go meanwhile. */
static void forget_next(struct dm_invalidate *f)
{
	struct power *p = container(f, struct power, forget);
	struct list *n, *next;

	list_each(n, next, &p->lines) {
		struct line *l = container(n, struct line, node);

		f->device = l->told ? NULL : line_device(l);
		l->told = true;
		if (!f->device)
			continue;
		dm_event_raise(l->table);
		dm_invalidate(f);
		return;
	}
	power_is_on(p);
}

static void restored(struct loop_msg *m)
{
	struct power *p = container(m, struct power, restored);

	if (!p->restore_err) {
		p->forget.done = forget_next;
		forget_next(&p->forget);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->state = POWER_CUT;
	pthread_mutex_unlock(&p->lock);
	restore_ends(p, p->restore_err);
}

void power_restored(struct power *p, int err)
{
	p->restore_err = err;
	p->restored.run = restored;
	loop_post(p->shared.world->loop, &p->restored);
}
