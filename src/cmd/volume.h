/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LVM's names of devices: GROUP-VOLUME, or GROUP-VOLUME-LAYER for parts of a volume. A hyphen inside a part is doubled.
 */
#ifndef CMD_VOLUME_H
#define CMD_VOLUME_H

#include "base/text.h"

enum volume_part { VOLUME_GROUP, VOLUME_NAME, VOLUME_LAYER };

/* Appends that part of NAME to OUT; nothing if NAME does not have it. What follows the layer belongs to no part. */
void volume_add(struct text *out, const char *name, enum volume_part part);

#endif
