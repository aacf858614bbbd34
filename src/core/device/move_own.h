/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files move*.c share: plans, their phases, and the machine that carries them out (move.c). */
#ifndef CORE_MOVE_OWN_H
#define CORE_MOVE_OWN_H

#include "core/device/move.h"
#include "core/world.h"

/* What becomes of a move that is given up while a phase is under way. */
enum dm_give_up {
	DM_TURNS_BACK,	/* the phase ends at once, and the move turns back */
	DM_ENDS_FIRST,	/* the caller has his answer; the phase goes on to its end, then the move turns back */
	DM_GOES_ON,	/* it is too late: from here on the move is carried out whatever happens */
};

struct dm_phase {
	const char *name;
	/* Does it concern D? The same answer each time, from what was so when the move began. NULL: yes. */
	bool (*concerns)(const struct dm_move *m, const struct dm_device *d);
	/* Both end with dm_phase_done(), once, at once or later. undo() comes for a phase that failed, too. NULL: nothing to undo. */
	void (*run)(struct dm_move *m, struct dm_device *d);
	void (*undo)(struct dm_move *m, struct dm_device *d);
	enum dm_give_up on_cancel;
	/* DM_TURNS_BACK: ends run() soon. NULL: it does soon anyway. */
	void (*give_up)(struct dm_move *m, struct dm_device *d);
};

/* All phases of a leg for one device, then for the next: from the top down, or from the bottom UP. */
struct dm_leg {
	bool up;
	const struct dm_phase *const *phases;	/* NULL-terminated */
};

struct dm_plan {
	const char *name;
	enum dm_state during;	/* of a device that was active */
	enum dm_state after;
	bool removes;		/* hooks that fail are logged, and do not stop it */
	bool creates;
	bool end;		/* the world's: nothing stops it */
	const struct dm_leg *legs;	/* ends with one without phases */
};

extern const struct dm_plan dm_plan_suspend, dm_plan_resume, dm_plan_create, dm_plan_remove, dm_plan_release, dm_plan_end,
	dm_plan_hand_over;

/* The phases. */
extern const struct dm_phase dm_phase_shut_first, dm_phase_presuspend, dm_phase_freeze, dm_phase_shut, dm_phase_drain,
	dm_phase_flush, dm_phase_postsuspend, dm_phase_preresume, dm_phase_exchange, dm_phase_start, dm_phase_open,
	dm_phase_thaw, dm_phase_retire_old, dm_phase_follow, dm_phase_announce, dm_phase_leave, dm_phase_retire,
	dm_phase_release, dm_phase_record, dm_phase_retire_lines, dm_phase_flush_all, dm_phase_hand_over;

/* Where M is. */
static inline struct dm_device *dm_move_device(const struct dm_move *m)
{
	return container(m->at, struct dm_device, moving.node);
}

static inline const struct dm_phase *dm_move_phase(const struct dm_move *m)
{
	return m->plan->legs[m->leg].phases[m->phase];
}

/* The phase that D is at is over: E (NULL: 0), or what went wrong. */
void dm_phase_done(struct dm_device *d, const struct err *e);

/* The same for what went wrong only: D's phase goes on, and ends with dm_phase_done(). */
void dm_phase_failed(struct dm_device *d, const struct err *e);

/* M, the world's end, goes on without the device that it is at: all of its phases are skipped, and nothing of it is freed. */
void dm_move_leave_out(struct dm_move *m);

/* The same for whoever asked for a round, or walked a table (ARG: the device): on the way back, or forward. */
void dm_phase_round_done(struct dm_device *d);
void dm_phase_walked_back(void *arg, const struct err *e);
void dm_phase_walked(void *arg, const struct err *e);

/* M (zeroed, but for its list of devices and how it ends) begins. */
void dm_move_begin(struct dm_move *m, struct dm_world *w, const struct dm_plan *plan);

/* D, which is suspended, fails what it holds, and what comes. */
void dm_move_release_one(struct dm_device *d);

/* D takes part in M, which has not begun. */
void dm_move_join(struct dm_move *m, struct dm_device *d, struct dm_table *incoming);

#endif
