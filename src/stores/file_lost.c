/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loss of the file store: the kernel drops the pages that it could not write, so a flush that has failed is reported to all
 * who wait, and to all later ones. Nobody hears of it, on any io thread, before a later daemon would know.
 */
#include <string.h>

#include "core/path/fault.h"
#include "stores/file.h"

void file_lose(struct file *f, int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&f->flush_err, &none, err);
}

/* It is recorded: that is where it comes from. */
void file_fail(struct dm_store *s, int err)
{
	struct file *f = (struct file *)s;

	file_lose(f, err);
	atomic_store(&f->may_tell, true);
}

/* A flush that has failed itself needs no more words than its error has. */
static void lost_why(const struct dm_req *r, int own, int err)
{
	if (r->op != DM_FLUSH)
		dm_why(r->io, "written, but not flushed to stable storage: %s", strerror(-own));
	else if (!own)
		dm_why(r->io, "an earlier flush failed (%s) and data was lost; the error is cleared when the file is opened again",
		       strerror(-err));
}

static void lost_end(struct dm_req *r)
{
	int own = (int)r->aio.res, err = atomic_load(&file_lane_of(r)->file->flush_err);

	lost_why(r, own, err);
	file_end(r, r->op == DM_FLUSH ? err : own);
}

static void lost_recorded(struct loop_msg *msg)
{
	struct file_lane *lane = container(msg, struct file_lane, lost.msg);
	struct dm_req *r = lane->failed, *next;

	atomic_store(&lane->file->may_tell, true);
	lane->failed = NULL;
	for (; r; r = next) {
		next = r->next;
		lost_end(r);
	}
}

static bool lost_record(struct file_lane *lane)
{
	lane->lost = (struct dm_loss){ .err = atomic_load(&lane->file->flush_err), .loop = lane->io->loop, .then = lost_recorded };
	return dm_store_lost(&lane->file->store, &lane->lost);
}

void file_end_lost(struct dm_req *r, int err)
{
	struct file_lane *lane = file_lane_of(r);

	r->aio.res = err;
	if (atomic_load(&lane->file->may_tell) || (!lane->failed && !lost_record(lane))) {
		lost_end(r);
		return;
	}
	r->next = lane->failed;
	lane->failed = r;
}
