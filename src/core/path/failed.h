/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures that lines want to know of (dm_type.failed): each line through which
 * a failed request went, and the events that come of it. The io thread counts an
 * event in the device and sends the control thread word before whoever asked has
 * its answer. The word is the thread's own message and names no device, so it
 * needs no memory, and may arrive when the device is gone.
 */
#ifndef CORE_FAILED_H
#define CORE_FAILED_H

#include "core/device/device.h"

/* R fails with ERR: not yet gone from the devices of its path. On its io thread. */
void dm_failed(struct dm_req *r, int err);

/* Is word on its way? Control thread. */
bool dm_failed_news(const struct dm_world *w);

#endif
