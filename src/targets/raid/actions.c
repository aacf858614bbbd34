/* SPDX-License-Identifier: BSD-2-Clause */
/* What an array does in the background, and when: see actions.h. */
#include <strings.h>

#include "base/log.h"
#include "core/command/ask.h"
#include "core/device/event.h"
#include "core/state/saved.h"
#include "targets/raid/array.h"
#include "targets/raid/write.h"

static bool is_copy(enum raid_action action)
{
	return action == RAID_RECOVER || action == RAID_RESYNC;
}

/* --- the end of one ---------------------------------------------------------------------------------------------------------- */

/* All legs that were behind have what they lacked. Without metadata that is recorded (saved.c). */
static void legs_are_good(struct array *a)
{
	unsigned i;

	pthread_mutex_lock(&a->lock);
	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		if (leg_state(l) != LEG_BEHIND)
			continue;
		l->whole = false;
		l->recovered = RAID_ALL;
		atomic_store(&l->state, LEG_GOOD);
	}
	pthread_mutex_unlock(&a->lock);
	if (!a->on_disk && array_has_orders(a))
		dm_saved_changed(a->target->table);
}

/* It was cut short after so many sectors: what is copied whole goes on there. */
static void copied_until(struct array *a, uint64_t sectors)
{
	unsigned i;

	for (i = 0; i < a->raid->n; i++) {
		struct raid_leg *l = &a->raid->legs[i];

		if (leg_state(l) == LEG_BEHIND && l->whole && l->recovered < sectors)
			l->recovered = sectors;
	}
	if (a->actions.synchronous < sectors)
		a->actions.synchronous = sectors;
}

static void copy_over(struct array *a, bool all, uint64_t sectors)
{
	struct actions *x = &a->actions;

	if (atomic_load(&x->failed)) {
		x->given_up = true;
		log_warn("raid1: some of what legs lack cannot be read; it is tried again when the device is resumed");
	} else if (all) {
		legs_are_good(a);
		x->synchronous = RAID_ALL;
		atomic_store(&a->differs, false);
		if (atomic_load(&a->torn) != x->torn)
			atomic_store(&a->differs, true);
	} else {
		copied_until(a, sectors);
	}
}

static void settle(struct array *a)
{
	struct dm_step *s = a->actions.settling;

	a->actions.settling = NULL;
	behind_settle(a, s);
}

static void action_ended(struct array *a)
{
	struct actions *x = &a->actions;

	atomic_store(&x->ending, false);
	x->last = x->now;
	x->now = RAID_IDLE;
	dm_event_raise(a->target->table);
	if (x->settling)
		settle(a);
}

/* All that was to be done is, and is durable. */
static void action_done(struct array *a)
{
	struct actions *x = &a->actions;
	uint64_t done = sweep_done(&x->sweep);

	if (is_copy(x->now))
		copy_over(a, done == a->regions.n, done << a->regions.shift);
	if (!a->on_disk) {
		action_ended(a);
		return;
	}
	atomic_store(&x->ending, true);
	metadata_record(a);
}

void actions_recorded(struct array *a)
{
	if (!atomic_load(&a->actions.ending))
		return;
	atomic_store(&a->actions.recorded, true);
	actions_look(a);
}

static void flush_run(struct clerk *c, struct clerk_job *j)
{
	struct array *a = clerk_owner(c);
	struct actions *x = container(j, struct actions, flush);

	if (!metadata_flush_legs(a))
		atomic_store(&x->failed, true);
	atomic_store(&x->flushed, true);
	actions_look(a);
}

/* Nothing is copied any more. True: nothing has to be flushed. */
static bool is_durable(struct array *a)
{
	struct actions *x = &a->actions;

	if (!is_copy(x->now) || !a->on_disk)
		return true;
	x->flushing = true;
	clerk_post(a->metadata.clerk, &x->flush);
	return false;
}

static bool is_done(struct array *a)
{
	struct actions *x = &a->actions;

	if (x->flushing) {
		x->flushing = !atomic_exchange(&x->flushed, false);
		return !x->flushing;
	}
	return atomic_exchange(&x->rested, false) && !sweep_is_busy(&x->sweep) && sweep_stop(&x->sweep, NULL) && is_durable(a);
}

static bool is_over(struct array *a)
{
	struct actions *x = &a->actions;

	if (!atomic_load(&x->ending)) {
		if (!is_done(a))
			return false;
		action_done(a);
	}
	if (atomic_load(&x->ending) && atomic_exchange(&x->recorded, false))
		action_ended(a);
	return x->now == RAID_IDLE;
}

/* --- the beginning ----------------------------------------------------------------------------------------------------------- */

static enum raid_action action_next(struct array *a)
{
	struct actions *x = &a->actions;
	enum raid_action asked = x->asked;

	if (!x->runs || x->frozen)
		return RAID_IDLE;
	if (!x->given_up && array_legs(a, LEG_BEHIND))
		return RAID_RECOVER;
	if (!x->given_up && atomic_load(&a->differs) && array_legs(a, LEG_GOOD) > 1)
		return RAID_RESYNC;
	x->asked = RAID_IDLE;
	return asked;
}

static void action_begin(struct array *a, enum raid_action action)
{
	static const struct sweep_kind copies = { .wants = recover_wants, .close = region_take, .work = recover_work };
	static const struct sweep_kind compares = { .wants = compare_wants, .close = region_take, .work = compare_work };
	struct actions *x = &a->actions;
	uint32_t piece = is_copy(action) ? x->piece : COMPARE_PIECE;

	x->now = action;
	x->sweep.kind = is_copy(action) ? copies : compares;
	x->sweep.kind.most = piece > a->region ? piece / a->region : 1;
	x->torn = atomic_load(&a->torn);
	atomic_store(&x->failed, false);
	atomic_store(&x->repairs, action == RAID_REPAIR);
	if (!is_copy(action))
		atomic_store(&x->mismatches, 0);
	sweep_start(&x->sweep);
}

/* --- deciding ---------------------------------------------------------------------------------------------------------------- */

static void look(struct loop_msg *msg)
{
	struct actions *x = container(msg, struct actions, look);
	struct array *a = x->sweep.owner;
	enum raid_action next;

	atomic_store(&x->posted, false);
	if (x->now != RAID_IDLE && !is_over(a))
		return;
	next = action_next(a);
	if (next != RAID_IDLE)
		action_begin(a, next);
}

void actions_look(struct array *a)
{
	if (!atomic_exchange(&a->actions.posted, true))
		loop_post(a->raid->world->loop, &a->actions.look);
}

static void sweep_has_rested(struct sweep *s)
{
	struct array *a = s->owner;

	atomic_store(&a->actions.rested, true);
	actions_look(a);
}

void actions_resume(struct array *a)
{
	a->actions.runs = true;
	a->actions.frozen = a->actions.given_up = false;
	actions_look(a);
}

void actions_stop(struct array *a, struct dm_step *s)
{
	a->actions.runs = false;
	a->actions.asked = RAID_IDLE;
	sweep_stop(&a->actions.sweep, s);
}

void actions_settle(struct array *a, struct dm_step *s)
{
	a->actions.settling = s;
	if (a->actions.now == RAID_IDLE)
		settle(a);
}

uint64_t actions_progress(struct array *a)
{
	struct actions *x = &a->actions;
	uint64_t done = !x->runs ? 0 : x->now == RAID_IDLE ? x->synchronous : sweep_done(&x->sweep) << a->regions.shift;

	return done < a->sectors ? done : a->sectors;
}

/* --- messages ---------------------------------------------------------------------------------------------------------------- */

/* What is under way ends; what is needed begins once more, unless FROZEN. */
static int message_stop(struct array *a, bool frozen)
{
	a->actions.frozen = frozen;
	a->actions.asked = RAID_IDLE;
	if (a->actions.now != RAID_IDLE)
		sweep_stop(&a->actions.sweep, NULL);
	actions_look(a);
	return 0;
}

static int message_compare(struct array *a, enum raid_action action, struct err *e)
{
	if (compare_new(a, e))
		return e->code;
	a->actions.asked = action;
	return 0;
}

/* Further words are ignored, as on Linux. */
int actions_message(struct array *a, struct dm_ask *ask)
{
	struct actions *x = &a->actions;
	const char *word = ask->argv[0];
	int err = 0;

	if (!x->runs)
		return err_set(&ask->err, -EBUSY, "the array is suspended, and does nothing before it is resumed");
	if (!strcasecmp(word, "idle") || !strcasecmp(word, "frozen"))
		return message_stop(a, !strcasecmp(word, "frozen"));
	if (x->now != RAID_IDLE)
		return err_set(&ask->err, -EBUSY, "the array is busy: `status` says what with, and the message idle ends it");
	if (!strcasecmp(word, "check"))
		err = message_compare(a, RAID_CHECK, &ask->err);
	else if (!strcasecmp(word, "repair"))
		err = message_compare(a, RAID_REPAIR, &ask->err);
	else if (strcasecmp(word, "resync") && strcasecmp(word, "recover"))
		err = err_set(&ask->err, -EINVAL, "'%.80s' is no message of raid: check, repair, resync, recover, idle or frozen", word);
	if (err)
		return err;
	x->frozen = x->given_up = false;
	actions_look(a);
	return 0;
}

/* --- memory ------------------------------------------------------------------------------------------------------------------ */

#define COPIED_AT_A_TIME 512u		/* sectors */
#define COPIED_LEAST 8u			/* a block of any device */

/* Sectors. */
static uint64_t most_a_second(const struct array *a)
{
	return a->raid->words.numbers[RAID_MAX_RATE] * 1024 / DM_SECTOR;
}

/* A piece of one of the hands rests for half a second at most, which then is long enough for the rate. */
static uint32_t copied_at_a_time(const struct array *a)
{
	uint64_t rate = most_a_second(a);
	uint32_t n = COPIED_AT_A_TIME;

	while (n > COPIED_LEAST && rate && (uint64_t)n * SWEEP_HANDS * 2 > rate)
		n /= 2;
	return n;
}

int actions_new(struct array *a, struct err *e)
{
	static const struct sweep_kind kind = { .wants = recover_wants, .close = region_take, .work = recover_work,
						.rests = sweep_has_rested };
	struct sweep_hand *hands[SWEEP_HANDS];
	struct actions *x = &a->actions;
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++)
		hands[i] = &x->hands[i].hand;
	sweep_init(&x->sweep, a->raid->world, &a->regions, &kind, a, hands);
	for (i = 0; i < SWEEP_HANDS; i++)
		x->hands[i].copy = (struct copy){ .io = hands[i]->io, .done = recover_copied, .class = COPY_BACKGROUND };
	x->look.run = look;
	x->flush.run = flush_run;
	x->piece = copied_at_a_time(a);
	if (copier_new(&x->copier, a->raid->world, SWEEP_HANDS + 1, x->piece, e))
		return e->code;
	copier_limit(x->copier, most_a_second(a));
	return 0;
}

void actions_free(struct array *a)
{
	compare_free(a);
	sweep_free(&a->actions.sweep);
	copier_free(a->actions.copier);
}
