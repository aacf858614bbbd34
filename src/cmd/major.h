/* SPDX-License-Identifier: BSD-2-Clause */
/* The major number of mapped devices: one that no block device of the machine has, so that a number means one device. */
#ifndef CMD_MAJOR_H
#define CMD_MAJOR_H

#include <stdint.h>

uint32_t major_free(void);

#endif
