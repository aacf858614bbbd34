/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another program gets of a disk whose power is on and whose cache is clean: what counts from the last restore, and what is
 * to come. A cache with something in it is not handed over, nor is a disk without power, whose cache is what survives.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "targets/powercut/power.h"

/* The epoch, writes and flushes in it, the number of the next request, seed, mode, hang, the trigger with its mark; of the line: bound. */
#define SAVED "1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d %d %" PRIu64 " %d"
#define READ_SAVED "1 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %d %d %d %" SCNu64 " %d %n"

struct kept {
	uint64_t epoch, writes, flushes, next, seed, at;
	int mode, hang, when, bound;
	char *mark;
};

int power_may_hand_over(const struct dm_target *t, struct err *e)
{
	struct power *p = power_line(t)->disk;
	uint64_t requests;
	bool up;

	pthread_mutex_lock(&p->lock);
	up = p->state == POWER_UP;
	requests = p->cache.requests;
	pthread_mutex_unlock(&p->lock);
	if (!up)
		return err_set(e, -EBUSY, "powercut: the power of '%s' is off, and what survives is in memory only; restore it first",
			       p->shared.store->name);
	if (requests)
		return err_set(e, -EBUSY, "powercut: the write cache of '%s' has %" PRIu64 " requests that nobody has flushed; flush them first",
			       p->shared.store->name, requests);
	return 0;
}

int power_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct power *p = power_line(t)->disk;

	(void)at_rest;
	if (power_may_hand_over(t, e))
		return e->code;
	text_printf(out, SAVED " %s", p->epoch, p->writes, p->flushes, p->cache.next, p->seed, (int)p->mode, p->want_hang,
		    (int)p->trigger.when, p->trigger.at, power_line(t)->bound, p->trigger.mark);
	return 0;
}

static void take(struct power *p, const struct kept *k)
{
	p->epoch = k->epoch;
	p->writes = k->writes;
	p->flushes = k->flushes;
	p->cache.next = k->next;
	p->seed = k->seed;
	p->mode = (enum survive_mode)k->mode;
	p->want_hang = k->hang;
	p->trigger.when = k->when;
	p->trigger.at = k->at;
	strcpy(p->trigger.mark, k->mark);
	p->is_restored = true;
}

static bool read_kept(struct kept *k, char *saved)
{
	int n = 0;

	if (sscanf(saved, READ_SAVED, &k->epoch, &k->writes, &k->flushes, &k->next, &k->seed, &k->mode, &k->hang, &k->when, &k->at,
		   &k->bound, &n) != 10 || !n)
		return false;
	k->mark = saved + n;
	return strlen(k->mark) < POWER_MARK && k->when >= NEVER && k->when <= AT_MARK && k->mode >= 0 && k->mode <= SURVIVE_ANY;
}

/* The words of a line that was bound are not to begin anew what they said. */
int power_take_saved(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct line *l = power_line(t);
	struct kept k;

	(void)len;
	if (!read_kept(&k, saved))
		return err_set(e, -EINVAL, "its disk was saved in a form that this version does not know");
	l->bound = k.bound;
	if (!l->disk->is_restored)
		take(l->disk, &k);
	return 0;
}
