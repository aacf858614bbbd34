/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* Flushes are held, for a test has few of them; tests/unit/test_delay.c has the rest. */
const struct sample sample_delay = { .words = "disk:0 16 0 disk:0 16 0 disk:0 16 1" };
