/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* Never up, and reads go the way of those that are changed, but the byte is behind the end of each. tests/unit/test_flakey.c has the rest. */
const struct sample sample_flakey = { .words = "disk:0 16 0 1 5 corrupt_bio_byte 4294967295 r 1 0" };
