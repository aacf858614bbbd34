/* SPDX-License-Identifier: BSD-2-Clause */
/* What udev's word about a device is made of: see super_udev.c. */
#ifndef SESSION_SUPER_UDEV_H
#define SESSION_SUPER_UDEV_H

#include "base/text.h"
#include "session/super.h"

#define UDEV_VALUE 1024

/* Of the device's directory in /sys, a file's line; or "". */
void udev_sys(const char *number, const char *file, char line[UDEV_VALUE]);

/* super_udev_part.c: if it is a partition, what its disk's label says of it. */
void udev_part(const struct super *s, const char *number, struct text *out);

#endif
