/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before somebody is told that a device is in use. On Linux a program that has closed it holds it no longer when close(2) returns;
 * here the front may not know of that yet. Control thread.
 */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include <stdbool.h>

#include "base/loop.h"

struct dm_device;
struct dm_world;

/* Must stay valid until then(). */
struct dm_settle {
	struct loop_msg msg;
	const struct dm_device *device;
	struct dm_world *world;
	unsigned asked;			/* fronts */
	void (*then)(struct dm_settle *s);
};

/*
 * True: a program that has closed D may not be known yet, and THEN is called when it is; it looks for D again. False: what is
 * known is so, and THEN is not called.
 */
bool dm_settle_start(struct dm_settle *s, const struct dm_device *d, void (*then)(struct dm_settle *s));

#endif
