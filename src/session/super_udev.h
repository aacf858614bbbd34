/* SPDX-License-Identifier: BSD-2-Clause */
/* udev's information about a device: see super_udev.c. */
#ifndef SESSION_SUPER_UDEV_H
#define SESSION_SUPER_UDEV_H

#include "base/text.h"
#include "session/super.h"

#define UDEV_VALUE 1024

/* Reads a line of a file in the device's directory of /sys; or "". */
void udev_sys(const char *number, const char *file, char line[UDEV_VALUE]);

/* super_udev_part.c: if it is a partition, adds what its disk's partition table says about it. */
void udev_part(const struct super *s, const char *number, struct text *out);

#endif
