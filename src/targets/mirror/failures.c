/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of legs that fail, and of writes that they refuse. As on Linux: with handle_errors each kind of failure of a leg
 * is an event; if the first leg fails while all are equal, another one becomes the first; and a write that not all legs have
 * is held until the line is suspended. Without noflush it fails then; with noflush it goes back to the gate, and to the next
 * table, in which somebody (LVM, say) has put another leg, or none.
 */
#include "base/log.h"
#include "core/device/event.h"
#include "core/state/saved.h"
#include "targets/mirror/mirror.h"

/* A leg that may lack something must not be read from, nor be copied to the others. */
static void another_first(struct mirror *m, unsigned bad)
{
	int good;

	if (atomic_load(&m->regions.synchronous) != m->regions.n && !m->words.keep_log)
		return;
	good = legs_good(&m->legs);
	if (good >= 0)
		atomic_compare_exchange_strong(&m->legs.first, &bad, (unsigned)good);
}

void mirror_leg_fails(struct mirror *m, unsigned leg, enum leg_failure how)
{
	static const char *const did[] = { "be written to", "be flushed", "be synchronised", "be read" };

	atomic_store(&m->leg_failed, true);
	if (!leg_fails(&m->legs, leg, how))
		return;
	dm_saved_changed(m->target->table);
	log_warn("mirror: leg %u, %s, could not %s", leg + 1, m->legs.of[leg].at.store->name, did[how]);
	if (!m->words.handle_errors)
		return;
	another_first(m, leg);
	dm_event_raise(m->target->table);
}

void mirror_flush_failed(struct mirror *m)
{
	atomic_store(&m->flush_failed, true);
	atomic_store(&m->in_sync, false);
}

/* --- held writes ------------------------------------------------------------------------------------------------------------ */

static int let_go_verdict(const struct mirror *m)
{
	return m->puts_back ? DM_PUT_BACK : -EIO;
}

int mirror_hold(struct mirror *m, struct dm_req *r, struct dm_req *c)
{
	int verdict = DM_HELD;

	r->own[1] = c;
	pthread_mutex_lock(&m->lock);
	if (m->lets_go) {
		verdict = let_go_verdict(m);
	} else if (atomic_load(&m->in_sync) && !atomic_load(&m->log.failed)) {
		verdict = DM_PUT_BACK;		/* meanwhile all legs have become equal */
	} else {
		r->next = m->held;
		m->held = r;
	}
	pthread_mutex_unlock(&m->lock);
	return verdict;
}

static void held_ends(struct loop_msg *home)
{
	struct dm_req *r = container(home, struct dm_req, home), *c = r->own[1];
	int verdict = r->verdict;

	dm_io_turn(r->io);
	if (c)
		dm_child_end(c, verdict);
	else
		dm_go_on_here(r, verdict);
}

/* With the lock held. */
static struct dm_req *held_take(struct mirror *m)
{
	struct dm_req *r = m->held;

	m->held = NULL;
	return r;
}

static void held_end(struct dm_req *r, int verdict)
{
	struct dm_req *next;

	for (; r; r = next) {
		next = r->next;
		r->verdict = verdict;
		r->home.run = held_ends;
		loop_post(r->io->loop, &r->home);
	}
}

void mirror_let_go(struct mirror *m, bool put_back)
{
	struct dm_req *r;
	int verdict;

	pthread_mutex_lock(&m->lock);
	m->lets_go = true;
	m->puts_back = put_back;
	verdict = let_go_verdict(m);
	r = held_take(m);
	pthread_mutex_unlock(&m->lock);
	held_end(r, verdict);
}

void mirror_holds_again(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	m->lets_go = false;
	pthread_mutex_unlock(&m->lock);
}

/* --- all legs are equal ------------------------------------------------------------------------------------------------------- */

/* What had waited for that without a reason by now is written to all. */
static void put_back_held(struct mirror *m)
{
	struct dm_req *r;

	pthread_mutex_lock(&m->lock);
	r = held_take(m);
	pthread_mutex_unlock(&m->lock);
	held_end(r, DM_PUT_BACK);
}

/* They are, and were not before: no leg has failed any more. */
static bool legs_become_equal(struct mirror *m)
{
	bool now;

	pthread_mutex_lock(&m->lock);
	now = !m->failing && atomic_load(&m->regions.synchronous) == m->regions.n && !atomic_exchange(&m->in_sync, true);
	if (now) {
		legs_forgive(&m->legs);
		atomic_store(&m->leg_failed, false);
	}
	pthread_mutex_unlock(&m->lock);
	return now;
}

void mirror_look_whether_synchronous(struct mirror *m)
{
	if (atomic_load(&m->regions.synchronous) != m->regions.n)
		return;
	atomic_store(&m->was_in_sync, true);
	if (!legs_become_equal(m))
		return;
	dm_saved_changed(m->target->table);
	dm_event_raise(m->target->table);
	put_back_held(m);
}

void mirror_differs_soon(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	m->failing++;
	atomic_store(&m->in_sync, false);
	pthread_mutex_unlock(&m->lock);
}

/* By now it may have been copied again. */
void mirror_differs(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	m->failing--;
	pthread_mutex_unlock(&m->lock);
	mirror_look_whether_synchronous(m);
}
