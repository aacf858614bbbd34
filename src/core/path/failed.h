/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures that lines want to know of (dm_type.failed): each line through which
 * a failed request went is asked whether that is an event of its device, before
 * whoever sent the request has its answer.
 */
#ifndef CORE_FAILED_H
#define CORE_FAILED_H

#include "core/device/device.h"

/* R fails with ERR: not yet gone from the devices of its path. On its io thread. */
void dm_failed(struct dm_req *r, int err);

#endif
