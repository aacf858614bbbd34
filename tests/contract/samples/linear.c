/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

const struct sample sample_linear = { .words = "disk:0 16" };
