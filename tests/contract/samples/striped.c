/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

const struct sample sample_striped = { .words = "3 8 disk:0 16 disk:1 32 disk:2 48" };
