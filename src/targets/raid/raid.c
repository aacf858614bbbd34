/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raid: several legs as one device. raid1 keeps the same on all of them, makes them equal in the background, and goes on when some
 * have failed; superblocks and bitmaps on metadata devices say what each leg has. raid0 distributes the line in chunks. LVM uses it
 * for what `lvcreate -m1` makes.
 */
#include "core/command/ask.h"
#include "targets/raid/array.h"

static struct array *array_of(const struct dm_target *t)
{
	return ((const struct raid *)t->priv)->array;
}

static void raid_preresume(struct dm_target *t, struct dm_step *s)
{
	struct array *a = array_of(t);

	if (a)
		a->target = t;
	if (a && a->on_disk && atomic_load(&a->begun)) {
		metadata_again(a, s);
	} else if (a && a->on_disk) {
		metadata_begin(a, s);
	} else {
		if (a && !atomic_load(&a->begun))
			array_begin(a);
		dm_step_done(s, 0);
	}
}

static void raid_resume(struct dm_target *t, struct dm_step *s)
{
	struct array *a = array_of(t);

	if (a && a->on_disk)
		marks_resume(&a->metadata.marks);
	if (a)
		actions_resume(a);
	((struct raid *)t->priv)->runs = true;
	dm_step_done(s, 0);
}

static void raid_presuspend(struct dm_target *t, struct dm_step *s)
{
	struct array *a = array_of(t);

	((struct raid *)t->priv)->runs = false;
	if (a)
		actions_stop(a, s);
	else
		dm_step_done(s, 0);
}

static void raid_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct array *a = array_of(t);

	if (a && a->on_disk)
		actions_settle(a, s);
	else
		dm_step_done(s, 0);
}

static int raid_map(const struct dm_target *t, struct dm_req *r)
{
	struct array *a = array_of(t);

	return a ? array_map(a, r) : raid0_map(t, r);
}

static int raid_flush(const struct dm_target *t, struct dm_req *r)
{
	return array_of(t) ? array_flush(array_of(t), r) : raid0_flush(t, r);
}

static int raid_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	return array_of(t) ? array_child(array_of(t), r, c, err) : raid0_child(t, r, c, err);
}

static int raid_message(struct dm_target *t, struct dm_ask *ask)
{
	struct array *a = array_of(t);

	return a ? actions_message(a, ask) : err_set(&ask->err, -EINVAL, "raid0 takes no messages");
}

static void raid_dtr(struct dm_target *t)
{
	array_free(array_of(t));
}

static void raid_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct raid *raid = t->priv;

	if (!raid->words.level)
		raid0_hints(raid, l);
}

const struct dm_type dm_raid = {
	.name = "raid",
	.usage = "raid0|raid1 <#parameters> <chunk size> [<parameter>]... <#legs> [<metadata device>|- <device>|-]...",
	.about = "keeps the same on all <device>s (raid1), or distributes the line in chunks over them (raid0)",
	.version = { 1, 15, 1 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct raid),
	.ctr = raid_ctr,
	.dtr = raid_dtr,
	.map = raid_map,
	.flush = raid_flush,
	.child = raid_child,
	.children = RAID1_LEGS,
	.flush_children = RAID1_LEGS,
	.preresume = raid_preresume,
	.resume = raid_resume,
	.presuspend = raid_presuspend,
	.postsuspend = raid_postsuspend,
	.save = raid_save,
	.restore = raid_restore,
	.table = raid_table,
	.hints = raid_hints,
	.status = raid_status,
	.measure = raid_measure,
	.message = raid_message,
};
