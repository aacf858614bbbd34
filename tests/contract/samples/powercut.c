/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

/* Little memory, so that some requests are spilled to a file. */
const struct sample sample_powercut = { .words = "disk:0 16 seed 1 memory 2048" };
