/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plans of transitions: what comes after what. doc/design.md has the table of their phases, and what becomes of a move
 * that fails or is given up in each.
 *
 * A leg is gone through device by device, from the top down or from the bottom up; the next leg begins when all devices
 * are through this one. So all gates are shut before anybody is waited for, and a device commits before its disks stop.
 * What is decided is recorded for all of them at once, before a gate opens: a later daemon has all of it, or nothing.
 */
#include "core/device/move_own.h"

#define LEG(...) (const struct dm_phase *const[]){ __VA_ARGS__, NULL }

static const struct dm_leg suspend_legs[] = {
	{ .phases = LEG(&dm_phase_shut_first) },
	{ .phases = LEG(&dm_phase_presuspend) },
	{ .phases = LEG(&dm_phase_freeze) },
	{ .phases = LEG(&dm_phase_shut) },
	{ .phases = LEG(&dm_phase_drain, &dm_phase_flush, &dm_phase_postsuspend) },
	{ .phases = LEG(&dm_phase_record) },
	{ .phases = NULL },
};

/* A device that is suspended already goes past the first ones. */
static const struct dm_leg resume_legs[] = {
	{ .phases = LEG(&dm_phase_shut_first) },
	{ .phases = LEG(&dm_phase_presuspend) },
	{ .phases = LEG(&dm_phase_freeze) },
	{ .phases = LEG(&dm_phase_shut) },
	{ .phases = LEG(&dm_phase_drain, &dm_phase_flush, &dm_phase_postsuspend) },
	{ .up = true, .phases = LEG(&dm_phase_preresume, &dm_phase_exchange, &dm_phase_start) },
	{ .phases = LEG(&dm_phase_record) },
	{ .up = true, .phases = LEG(&dm_phase_open) },
	{ .up = true, .phases = LEG(&dm_phase_thaw) },
	{ .up = true, .phases = LEG(&dm_phase_retire_old, &dm_phase_follow) },
	{ .phases = NULL },
};

static const struct dm_leg create_legs[] = {
	{ .phases = LEG(&dm_phase_preresume, &dm_phase_exchange, &dm_phase_start) },
	{ .phases = LEG(&dm_phase_record) },
	{ .phases = LEG(&dm_phase_open, &dm_phase_announce) },
	{ .phases = NULL },
};

static const struct dm_leg remove_legs[] = {
	{ .phases = LEG(&dm_phase_presuspend, &dm_phase_drain, &dm_phase_postsuspend, &dm_phase_record, &dm_phase_leave,
			&dm_phase_retire) },
	{ .phases = NULL },
};

static const struct dm_leg release_legs[] = {
	{ .phases = LEG(&dm_phase_release, &dm_phase_thaw) },
	{ .phases = NULL },
};

/* Nothing is flushed: what was written is in files that stay open, and in what the targets commit. */
static const struct dm_leg hand_over_legs[] = {
	{ .phases = LEG(&dm_phase_shut_first) },
	{ .phases = LEG(&dm_phase_presuspend) },
	{ .phases = LEG(&dm_phase_shut) },
	{ .phases = LEG(&dm_phase_drain, &dm_phase_postsuspend) },
	{ .phases = LEG(&dm_phase_hand_over) },
	{ .phases = NULL },
};

static const struct dm_leg end_legs[] = {
	{ .phases = LEG(&dm_phase_presuspend) },
	{ .phases = LEG(&dm_phase_drain, &dm_phase_flush, &dm_phase_postsuspend, &dm_phase_retire_lines) },
	{ .phases = LEG(&dm_phase_flush_all) },
	{ .phases = LEG(&dm_phase_leave, &dm_phase_retire) },
	{ .phases = NULL },
};

const struct dm_plan dm_plan_suspend = {
	.name = "suspending", .during = DM_SUSPENDING, .after = DM_SUSPENDED, .legs = suspend_legs,
};
const struct dm_plan dm_plan_resume = {
	.name = "resuming", .during = DM_SUSPENDING, .after = DM_ACTIVE, .legs = resume_legs,
};
const struct dm_plan dm_plan_create = {
	.name = "creation", .during = DM_RESUMING, .after = DM_ACTIVE, .creates = true, .legs = create_legs,
};
const struct dm_plan dm_plan_remove = {
	.name = "removal", .during = DM_SUSPENDING, .after = DM_ACTIVE, .removes = true, .legs = remove_legs,
};
const struct dm_plan dm_plan_release = {
	.name = "release", .during = DM_SUSPENDED, .after = DM_SUSPENDED, .legs = release_legs,
};
const struct dm_plan dm_plan_hand_over = {
	.name = "handing over", .during = DM_SUSPENDING, .after = DM_SUSPENDED, .legs = hand_over_legs,
};
const struct dm_plan dm_plan_end = {
	.name = "end", .during = DM_SUSPENDING, .after = DM_SUSPENDED, .removes = true, .end = true, .legs = end_legs,
};
