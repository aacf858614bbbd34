/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror: the same on two to nine legs. Writes go to all, reads to one; a background copy makes all legs equal to the first one,
 * and a log knows which regions are. LVM uses it for `--type mirror`, for `lvconvert -m` and for pvmove.
 */
#include <stdlib.h>

#include "targets/mirror/mirror.h"

static void begin_where_it_was(struct mirror *m)
{
	uint64_t region;

	for (region = 0; region < m->regions.n; region++)
		region_begins(&m->regions, region, m->restored[region / 8] >> region % 8 & 1);
	free(m->restored);
	m->restored = NULL;
}

/*
 * Linux begins with what the words say, and later goes on with what it knows; the log on a disk is read each time, or begins
 * each time as the words say.
 */
static void begin_in_memory(struct mirror *m)
{
	uint64_t region;

	if (m->restored)
		begin_where_it_was(m);
	else if (!m->begun && m->begins == MIRROR_NOSYNC)
		for (region = 0; region < m->regions.n; region++)
			region_begins(&m->regions, region, true);
	if (atomic_exchange(&m->flush_failed, false))
		regions_distrust(&m->regions);
}

static void mirror_preresume(struct dm_target *t, struct dm_step *s)
{
	struct mirror *m = t->priv;

	m->target = t;
	atomic_store(&m->was_in_sync, false);
	if (m->words.on_disk) {
		atomic_store(&m->flush_failed, false);	/* what may be lost is marked */
		disk_log_begin(&m->log, s);
		return;
	}
	begin_in_memory(m);
	m->begun = true;
	dm_step_done(s, 0);
}

static void mirror_resume(struct dm_target *t, struct dm_step *s)
{
	struct mirror *m = t->priv;

	mirror_holds_again(m);
	if (atomic_load(&m->leg_failed) && atomic_load(&m->regions.synchronous) != m->regions.n)
		atomic_store(&m->in_sync, false);	/* when all are copied, it is forgiven; else that is no event, as on Linux */
	mirror_look_whether_synchronous(m);
	if (m->words.on_disk)
		disk_log_resume(&m->log);
	sweep_start(&m->resync.sweep);
	dm_step_done(s, 0);
}

static void mirror_presuspend(struct dm_target *t, struct dm_step *s)
{
	struct mirror *m = t->priv;

	mirror_let_go(m, s->noflush);
	sweep_stop(&m->resync.sweep, s);
}

static void mirror_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct mirror *m = t->priv;

	if (m->words.on_disk)
		marks_settle(&m->log.marks, s);
	else
		dm_step_done(s, 0);
}

static void mirror_dtr(struct dm_target *t)
{
	struct mirror *m = t->priv;

	disk_log_free(&m->log);
	resync_free(m);
	regions_free(&m->regions);
	free(m->legs.reads);
	free(m->restored);
}

static int mirror_message(struct dm_target *t, struct dm_ask *a)
{
	const struct mirror *m = t->priv;

	return copier_message(m->resync.copier, "mirror", a);
}

const struct dm_type dm_mirror = {
	.name = "mirror",
	.usage = "core|disk <#log words> [<log device>] <region size> [sync|nosync] <#legs> [<device> <offset>]... "
		 "[<#features> [handle_errors] [keep_log]]",
	.about = "keeps the same on all <device>s, and makes them equal to the first one",
	.version = { 1, 14, 0 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct mirror),
	.ctr = mirror_ctr,
	.dtr = mirror_dtr,
	.map = mirror_map,
	.flush = mirror_flush,
	.child = mirror_child,
	.children = MIRROR_LEGS,
	.flush_children = MIRROR_LEGS,
	.preresume = mirror_preresume,
	.resume = mirror_resume,
	.presuspend = mirror_presuspend,
	.postsuspend = mirror_postsuspend,
	.save = mirror_save,
	.restore = mirror_restore,
	.message = mirror_message,
	.table = mirror_table,
	.status = mirror_status,
	.measure = mirror_measure,
};
