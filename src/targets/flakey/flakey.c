/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flakey: a disk that is good for <up> seconds and bad for <down> seconds, in turn, from the moment its table is loaded. While
 * it is bad it fails requests, loses writes, or changes bytes; which of these, the features say. Without features it fails all.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "core/path/fault.h"
#include "core/world.h"
#include "targets/flakey/flakey.h"

static bool flakey_is_bad(const struct flakey *k, const struct dm_io *io)
{
	uint64_t seconds = io->now > k->began ? (io->now - k->began) / TIMERS_SECOND : 0;

	return seconds % (k->up + k->down) >= k->up;
}

static bool flakey_reads(const struct dm_req *r)
{
	return r->op == DM_READ || r->op == DM_EXTENT;
}

/* Does what R asks for not take place? */
static bool flakey_fails(const struct flakey *k, const struct dm_req *r)
{
	return k->features & (flakey_reads(r) ? ERROR_READS : ERROR_WRITES);
}

static int flakey_fail(const struct flakey *k, const struct dm_req *r)
{
	dm_why(r->io, "the table line has type flakey and fails %s now", k->features & ERROR_READS && k->features & ERROR_WRITES ?
	       "all requests" : flakey_reads(r) ? "reads" : "writes");
	return -EIO;
}

/* Asking where holes are moves no data: what the reads that follow give is not known, so it says "data". */
static int flakey_extent(const struct flakey *k, struct dm_req *r)
{
	if (k->features & ERROR_READS || flakey_changes_reads(k))
		return DM_DONE;
	return dm_remap(r, &k->at, r->sector);
}

/* What a request that comes while it is bad gets. */
static int flakey_bad(struct flakey *k, struct dm_req *r)
{
	if (r->op == DM_EXTENT)
		return flakey_extent(k, r);
	if (flakey_fails(k, r))
		return flakey_fail(k, r);
	if (r->op != DM_READ && k->features & DROP_WRITES)
		return DM_DONE;
	return dm_op_is_range(r->op) ? dm_remap(r, &k->at, r->sector) : flakey_change(k, r);
}

static int flakey_map(const struct dm_target *t, struct dm_req *r)
{
	struct flakey *k = t->priv;

	return flakey_is_bad(k, r->io) ? flakey_bad(k, r) : dm_remap(r, &k->at, r->sector);
}

/* A flush is a write. The core's own is for no client: Linux sends none. */
static int flakey_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct flakey *k = t->priv;

	if (!(r->flags & DM_OWN) && flakey_is_bad(k, r->io)) {
		if (flakey_fails(k, r))
			return flakey_fail(k, r);
		if (k->features & DROP_WRITES)
			return DM_DONE;
	}
	r->store = k->at.store;
	return DM_REMAPPED;
}

static int flakey_ctr(struct dm_target *t, struct dm_args *a)
{
	struct flakey *k = t->priv;

	k->at = dm_arg_at(a, t->len);
	k->began = clock_now(dm_args_world(a)->clock);
	k->block = a->block > DM_SECTOR ? a->block : DM_SECTOR;
	flakey_arg_words(k, a);
	if (dm_args_may_reserve(a) && flakey_change_new(k, a->err))
		return a->err->code;
	return dm_args_rest_ignored(a);
}

static void flakey_dtr(struct dm_target *t)
{
	struct flakey *k = t->priv;

	reserve_free(k->buffers);
}

/* How many words the features have. */
static unsigned flakey_count(const struct flakey *k)
{
	return (unsigned)__builtin_popcount(k->features) + (k->byte ? 5 : 0) + (k->random_reads ? 2 : 0) + (k->random_writes ? 2 : 0);
}

static void flakey_table(const struct dm_target *t, struct text *out)
{
	const struct flakey *k = t->priv;

	dm_text_at(out, &k->at);
	text_printf(out, " %u %u %u", k->up, k->down, flakey_count(k));
	text_add(out, k->features & ERROR_READS ? " error_reads" : "");
	text_add(out, k->features & DROP_WRITES ? " drop_writes" : "");
	text_add(out, k->features & ERROR_WRITES ? " error_writes" : "");
	if (k->byte)
		text_printf(out, " corrupt_bio_byte %u %c %u %u", k->byte, k->of_writes ? 'w' : 'r', k->value, k->flags);
	if (k->random_reads)
		text_printf(out, " random_read_corrupt %u", k->random_reads);
	if (k->random_writes)
		text_printf(out, " random_write_corrupt %u", k->random_writes);
}

/* The phase, as the moment when it began. The clock counts from the start of the machine. */
#define FLAKEY_SAVED "1 began=%llu boot=%36s"

static int flakey_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct flakey *k = t->priv;

	(void)at_rest;
	(void)e;
	text_printf(out, FLAKEY_SAVED, (unsigned long long)k->began, boot_id());
	return 0;
}

static int flakey_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct flakey *k = t->priv;
	char boot[BOOT_ID + 1];
	unsigned long long began;

	(void)len;
	if (sscanf(saved, FLAKEY_SAVED, &began, boot) != 2)
		return err_set(e, -EINVAL, "its phase was saved in a form that this version does not know");
	if (strcmp(boot, boot_id()))
		return err_set(e, -ESTALE, "the machine was started again since, so how long it was good or bad is not known");
	k->began = began;
	return 0;
}

const struct dm_type dm_flakey = {
	.name = "flakey",
	.usage = "<device> <offset> <up> <down> [<#feature words> <feature>...]",
	.about = "is good for <up> seconds and bad for <down> seconds, in turn: it fails requests, loses writes or changes bytes",
	.version = { 1, 5, 0 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct flakey),
	.ctr = flakey_ctr,
	.dtr = flakey_dtr,
	.map = flakey_map,
	.flush = flakey_flush,
	.child = flakey_changed,
	.children = FLAKEY_CHILDREN,
	.save = flakey_save,
	.restore = flakey_restore,
	.table = flakey_table,
};
