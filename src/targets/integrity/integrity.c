/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * integrity: each block has a tag beside it, by which a change below is noticed: reading it fails. The tag is a digest of the block,
 * with a key or without. The format and the tables are those of Linux's dm-integrity; integritysetup makes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "core/device/device.h"
#include "targets/integrity/integrity.h"

static int integrity_ctr(struct dm_target *t, struct dm_args *a)
{
	int r = integrity_words_read(t, a);

	if (r)
		hex_hide(a->err->text);
	return r;
}

/* As on Linux a resume takes the devices as they are: one below may have got its table since this one was loaded, or have grown. */
static void measure_again(struct dm_store *s)
{
	if (s->device)
		s->sectors = dm_device_sectors(s->device);
}

static void integrity_preresume(struct dm_target *t, struct dm_step *s)
{
	struct integrity *it = t->priv;

	if (!s->back) {
		measure_again(it->data.store);
		measure_again(it->meta.store);
	}
	it->target = t;
	it->step = s;
	it->hook.run = s->back ? integrity_go_on : integrity_begin;
	clerk_post(it->clerk, &it->hook);
}

static void integrity_resume(struct dm_target *t, struct dm_step *s)
{
	integrity_sync_resume(t->priv);
	integrity_recalc_resume(t->priv);
	dm_step_done(s, 0);
}

static void integrity_presuspend(struct dm_target *t, struct dm_step *s)
{
	integrity_sync_presuspend(t->priv);
	integrity_recalc_presuspend(t->priv, s);
}

static void integrity_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct integrity *it = t->priv;

	if (it->words.mode == 'R') {
		dm_step_done(s, 0);
		return;
	}
	it->step = s;
	it->hook.run = integrity_end;
	clerk_post(it->clerk, &it->hook);
}

/* A recalculation that was begun goes on in the daemon that takes over. Where it is, the superblock says. */
#define INTEGRITY_RECALCS "recalculates"

static int integrity_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	struct integrity *it = t->priv;
	bool recalcs;

	(void)at_rest;
	(void)e;
	pthread_mutex_lock(&it->lock);
	recalcs = it->recalcs_itself;
	pthread_mutex_unlock(&it->lock);
	text_add(out, recalcs ? INTEGRITY_RECALCS : "");
	return 0;
}

static int integrity_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct integrity *it = t->priv;

	if (len && strcmp(saved, INTEGRITY_RECALCS))
		return err_set(e, -EINVAL, "what its tags are was saved in a form that this version does not know");
	it->recalcs_itself = len;
	return 0;
}

static void integrity_dtr(struct dm_target *t)
{
	struct integrity *it = t->priv;

	clerk_free(it->clerk);
	integrity_unbind(it);
	reserve_free(it->jobs);
	ranges_free(it->ranges);
	epoch_free(it->epoch);
	free(it->recalc.data);
	free(it->recalc.tags);
	tags_free(it->tags);
	ihash_free(&it->hash);
	ihash_free(&it->mac);
	seal_cipher_free(&it->cipher);
	free(it->sector);
	integrity_sync_free(it);
	pthread_mutex_destroy(&it->lock);
}

/* A block and its tag change as a whole, so nothing smaller can be written. */
static void integrity_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct integrity *it = t->priv;
	uint32_t block = it->words.block * DM_SECTOR;
	struct dm_limits own = { .logical = block, .physical = block, .io_min = block, .fua = true, .discard = it->words.discard };

	*l = it->data.store->limits;
	dm_limits_stack(l, &own);
	l->tags = it->hash.kind ? 0 : it->words.tag_size;
}

const struct dm_type dm_integrity = {
	.name = "integrity",
	.usage = "<device> <start> <tag size> <mode> <#options> [<option>...]",
	.about = "keeps a tag with each block of <device>, by which changes below are noticed",
	.version = { 1, 13, 0 },
	.flags = DM_TARGET_SINGLETON,
	.size = sizeof(struct integrity),
	.ctr = integrity_ctr,
	.dtr = integrity_dtr,
	.map = integrity_map,
	.flush = integrity_flush,
	.child = integrity_child,
	.children = 1,
	.preresume = integrity_preresume,
	.resume = integrity_resume,
	.presuspend = integrity_presuspend,
	.postsuspend = integrity_postsuspend,
	.save = integrity_save,
	.restore = integrity_restore,
	.table = integrity_table,
	.status = integrity_status,
	.measure = integrity_measure,
	.hints = integrity_hints,
};
