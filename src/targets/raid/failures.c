/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of legs that fail, and of writes meanwhile: as on Linux, a leg that refuses a write is dead, and that is an event. The
 * last good one never is: what it refuses, the client is told. Until the superblocks of the others have the failure, no write ends,
 * because after a crash the dead leg would pass for good.
 */
#include "base/log.h"
#include "core/device/event.h"
#include "core/state/saved.h"
#include "targets/raid/array.h"

bool array_to_record(struct array *a)
{
	bool post = !a->recording;

	a->recording = a->changed = true;
	return post;
}

/* With the lock held. */
static bool leg_dies(struct array *a, unsigned i, bool *record)
{
	struct raid_leg *l = &a->raid->legs[i];
	enum leg_state state = leg_state(l);

	if (state < LEG_BEHIND || (state == LEG_GOOD && array_legs(a, LEG_GOOD) == 1))
		return false;
	atomic_store(&l->state, LEG_DEAD);
	array_look_at_legs(a);
	*record = a->on_disk && array_to_record(a);
	return true;
}

bool array_leg_fails(struct array *a, unsigned i, const char *did)
{
	bool dies, record = false;

	pthread_mutex_lock(&a->lock);
	dies = leg_dies(a, i, &record);
	pthread_mutex_unlock(&a->lock);
	if (!dies)
		return false;
	log_warn("raid1: leg %u, %s, could not %s, and is dead", i, a->raid->legs[i].data.store->name, did);
	if (!a->on_disk)
		dm_saved_changed(a->target->table);
	if (record)
		clerk_post(a->metadata.clerk, &a->metadata.record);
	dm_event_raise(a->target->table);
	actions_look(a);
	return true;
}

/* --- held requests ----------------------------------------------------------------------------------------------------------- */

int array_hold(struct array *a, struct dm_req *r, struct dm_req *c, int verdict)
{
	bool post;

	r->own[1] = c;
	r->verdict = verdict;
	pthread_mutex_lock(&a->lock);
	post = a->cut_short && array_to_record(a);
	if (a->recording) {
		r->next = a->held;
		a->held = r;
		verdict = DM_HELD;
	}
	pthread_mutex_unlock(&a->lock);
	if (post)
		clerk_post(a->metadata.clerk, &a->metadata.record);
	return verdict;
}

static void held_ends(struct loop_msg *home)
{
	struct dm_req *r = container(home, struct dm_req, home), *c = r->own[1];

	dm_io_turn(r->io);
	dm_child_end(c, r->verdict);
}

bool array_is_recorded(struct array *a, int err)
{
	struct dm_req *r = NULL, *next;
	bool is;

	pthread_mutex_lock(&a->lock);
	is = !a->changed;
	if (is) {
		a->recording = false;
		a->cut_short = err;
		r = a->held;
		a->held = NULL;
	}
	pthread_mutex_unlock(&a->lock);
	if (is)
		actions_recorded(a);
	for (; r; r = next) {
		next = r->next;
		r->verdict = r->verdict ? r->verdict : err;
		r->home.run = held_ends;
		loop_post(r->io->loop, &r->home);
	}
	return is;
}
