/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may pass the disk, and how what is held back ends: see power.h. */
#include <errno.h>

#include "core/path/fault.h"
#include "targets/powercut/power.h"

static void ended_home(struct loop_msg *m)
{
	struct dm_req *h = container(m, struct dm_req, home);

	dm_io_turn(h->io);
	if (h->own[0] == POWER_KEEPER)
		dm_child_end(h, h->verdict);
	else
		dm_go_on_here(h, h->verdict);
}

static void refused_home(struct loop_msg *m)
{
	dm_why(container(m, struct dm_req, home)->io, POWER_OFF);
	ended_home(m);
}

static void end_all(struct dm_req *list, int err, void (*run)(struct loop_msg *m))
{
	struct dm_req *next;

	for (; list; list = next) {
		next = list->next;
		list->verdict = err;
		list->home.run = run;
		loop_post(list->io->loop, &list->home);
	}
}

void power_end_all(struct dm_req *list, int err)
{
	end_all(list, err, ended_home);
}

void power_refuse_all(struct dm_req *list)
{
	end_all(list, -EIO, refused_home);
}

int power_gate(const struct power *p, const struct line *l)
{
	if (p->state == POWER_UP)
		return 0;
	if (p->state == POWER_HOLDING || (p->hangs && !l->lets_go))
		return DM_HELD;
	return -EIO;
}

void power_hold_back(struct power *p, struct dm_req *h)
{
	h->next = NULL;
	*p->refused_last = h;
	p->refused_last = &h->next;
}

static bool trips(struct power *p, unsigned when, uint64_t n)
{
	if (p->trigger.when != when || n < p->trigger.at)
		return false;
	p->trigger.when = NEVER;
	p->state = POWER_HOLDING;
	return true;
}

bool power_wrote(struct power *p)
{
	return trips(p, AFTER_WRITES, ++p->writes);
}

bool power_flushed(struct power *p)
{
	return trips(p, AFTER_FLUSHES, ++p->flushes);
}

void power_trip(struct power *p)
{
	loop_post(p->shared.world->loop, &p->trip);
}
