/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks that do not match: see mend.h. */
#include "targets/verity/mend.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "core/device/event.h"
#include "core/path/failed.h"

#define TOLD_MOST 100u			/* lines in the log about corrupt blocks, as on Linux */

static uint32_t mend_size(const struct mend *m)
{
	return m->level == MEND_DATA ? m->v->block_size : m->v->tree.block_size;
}

static uint64_t mend_number(const struct mend *m)
{
	return m->level == MEND_DATA ? m->data_block : tree_block(&m->v->tree, (uint32_t)m->level, m->data_block);
}

static const char *mend_kind(const struct mend *m)
{
	return m->level == MEND_DATA ? "data" : "hash";
}

static const char *mend_store(const struct mend *m)
{
	return (m->level == MEND_DATA ? &m->v->data : &m->v->hashes)->store->name;
}

static int mend_read(const struct mend *m, struct clerk *c)
{
	uint64_t sectors = mend_size(m) / DM_SECTOR;

	return clerk_read(c, m->level == MEND_DATA ? &m->v->data : &m->v->hashes, mend_number(m) * sectors, sectors, m->v->spare);
}

static bool mend_fits(const struct mend *m)
{
	uint8_t digest[DIGEST_MOST];

	tree_digest(&m->v->tree, digest, m->v->spare, mend_size(m));
	return !memcmp(digest, m->want, m->v->tree.digest.size);
}

/* Nobody reads from the device any more. */
static void mend_end_device(const struct mend *m, enum verity_mode mode)
{
	if (mode != VERITY_RESTART && mode != VERITY_PANIC)
		return;
	if (atomic_exchange(&m->v->ended, true))
		return;
	log_error("verity on %s: it fails all reads from now on, because its line says %s", m->v->data.store->name,
		  mode == VERITY_RESTART ? "restart" : "panic");
	dm_event_raise(m->target->table);
}

static int mend_unreadable(struct mend *m, int err)
{
	if (dm_is_interrupted(err))
		return err;		/* the daemon ends, and not the disk */
	log_warn("verity: %s block %llu of %s cannot be read: %s", mend_kind(m), (unsigned long long)mend_number(m), mend_store(m),
		 strerror(-err));
	mend_end_device(m, m->v->failed);
	return err;
}

static int mend_give_up(struct mend *m)
{
	uint32_t told = atomic_fetch_add(&m->v->told, 1);

	atomic_store(&m->v->is_corrupt, true);
	if (told < TOLD_MOST)
		log_warn("verity: %s block %llu of %s is corrupt%s", mend_kind(m), (unsigned long long)mend_number(m), mend_store(m),
			 told + 1 == TOLD_MOST ? "; no more of them will be reported" : "");
	mend_end_device(m, m->v->corrupt);
	m->is_corrupt = m->v->corrupt == VERITY_IGNORE;
	return m->is_corrupt ? 0 : -EIO;
}

/* 0, with the block in v->spare; or -errno. */
static int mend_block(struct mend *m, struct clerk *c)
{
	int err = mend_read(m, c);

	if (!err && mend_fits(m))
		return 0;
	if (m->v->fec.at.store && mend_correct(m, c)) {
		log_info("verity: %s block %llu of %s was corrected", mend_kind(m), (unsigned long long)mend_number(m), mend_store(m));
		return 0;
	}
	if (err)
		return mend_unreadable(m, err);
	if (m->v->fec.at.store && m->v->corrupt == VERITY_IGNORE)
		err = mend_read(m, c);		/* as it is, and not as the correction has left it */
	return err ? mend_unreadable(m, err) : mend_give_up(m);
}

static void mend_home(struct loop_msg *msg)
{
	struct mend *m = container(msg, struct mend, msg);

	dm_io_turn(m->io);
	m->done(m);
}

static void mend_run(struct clerk *c, struct clerk_job *j)
{
	struct mend *m = container(j, struct mend, job);

	m->is_corrupt = false;
	m->err = mend_block(m, c);
	if (!m->err)
		vec_put(m->to, m->v->spare, mend_size(m));
	m->msg.run = mend_home;
	loop_post(m->io->loop, &m->msg);
}

void mend_begin(struct mend *m)
{
	m->job.run = mend_run;
	clerk_post(m->v->clerk, &m->job);
}
