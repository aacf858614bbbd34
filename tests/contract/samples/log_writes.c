/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

const struct sample sample_log_writes = { .words = "disk:0 disk:1" };
