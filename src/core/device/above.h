/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device and all that stand on it, through their active tables: who writes to them, and who keeps copies of what they held.
 * For what changes the content of a device behind its users' backs. Control thread.
 */
#ifndef CORE_ABOVE_H
#define CORE_ABOVE_H

#include "base/err.h"
#include "core/device/device.h"

/* A front that lets its user write, or has a mount on D, says so while D is open (dm_open()). */
void dm_write_begin(struct dm_device *d);
void dm_write_end(struct dm_device *d);

/* A device that is mapped onto D, or NULL. */
const struct dm_device *dm_device_user(const struct dm_device *d);

/* Nobody has D, or one above it, open for writing or mounted: 0, or -EBUSY and a sentence. */
int dm_above_unused(struct dm_device *d, struct err *e);

/*
 * The content of D is another one: the kernel forgets its pages of D and of those above it, and loop devices follow. D stays
 * until DONE.
 */
struct dm_invalidate {
	struct dm_device *device;
	void (*done)(struct dm_invalidate *f);
	/* From here on its own. */
	uint64_t walk;
	struct list devices;		/* forget_one */
	unsigned n_fronts;		/* of those that were told of the first of them */
	struct loop_msg msg;
};
void dm_invalidate(struct dm_invalidate *f);

#endif
