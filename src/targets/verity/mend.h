/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to a block that does not have its digest, or that could not be read; a job of the line's clerk. It is read once
 * more (whoever may write to the client's buffer cannot make a device corrupt); then it is corrected, if there is forward error
 * correction; and if that fails, the line's words say what becomes of the read and of the device.
 */
#ifndef VERITY_MEND_H
#define VERITY_MEND_H

#include "targets/verity/verity.h"

#define MEND_DATA (-1)

/* In its owner's memory until done(). */
struct mend {
	struct verity *v;
	const struct dm_target *target;
	struct dm_io *io;
	void (*done)(struct mend *m);	/* on IO's thread */
	int level;			/* of the hash tree; or MEND_DATA */
	uint64_t data_block;		/* on whose way it is */
	const uint8_t *want;		/* its digest */
	struct vec to;			/* where it belongs, valid until done() */
	/* The answer. */
	int err;			/* 0: `to` has the block */
	bool is_corrupt;		/* it is not what it should be, and is used all the same */
	/* The clerk's. */
	struct clerk_job job;
	struct loop_msg msg;
};

void mend_begin(struct mend *m);

/* On the clerk's thread, in mend_fec.c: corrects M's block, to v->spare. False: it cannot be. */
bool mend_correct(struct mend *m, struct clerk *c);

#endif
