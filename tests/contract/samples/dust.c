/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* No block is bad before a message says so; tests/unit/test_dust.c has that. */
const struct sample sample_dust = { .words = "disk:0 16 4096" };
