/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* The last region is a short one. */
const struct sample sample_switch = { .words = "3 7 0 disk:0 16 disk:1 32 disk:2 48" };
