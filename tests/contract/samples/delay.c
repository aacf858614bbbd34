/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* Flushes are held, because tests have few of them; tests/unit/test_delay.c tests the rest. */
const struct sample sample_delay = { .words = "disk:0 16 0 disk:0 16 0 disk:0 16 1" };
