/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures that lines want to know about (dm_type.failed): each line through which a failed request went is asked
 * whether this is an event of its device, before the submitter gets the error.
 */
#ifndef CORE_FAILED_H
#define CORE_FAILED_H

#include <errno.h>

#include "core/device/device.h"

/* A request that ends so has met no failure of a disk: the world ends, or whoever waited for it has gone. */
static inline bool dm_is_interrupted(int err)
{
	return err == -ESHUTDOWN || err == -EINTR || err == -ECANCELED;
}

/* R fails with ERR; it has not yet left the devices of its path. On its io thread. */
void dm_failed(struct dm_req *r, int err);

#endif
