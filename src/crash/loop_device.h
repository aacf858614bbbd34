/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop device on a file, which goes away with its last user. */
#ifndef CRASH_LOOP_DEVICE_H
#define CRASH_LOOP_DEVICE_H

#include "base/err.h"

#define LOOP_DEVICE_NAME 24

/* A descriptor that keeps the device /dev/loopN, whose path is put into NAME; or -errno and a sentence. */
int loop_device_attach(const char *file, char name[LOOP_DEVICE_NAME], struct err *e);

#endif
