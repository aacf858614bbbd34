/* SPDX-License-Identifier: BSD-2-Clause */
#include "contract/sample.h"

const struct sample sample_unstriped = { .words = "2 12 1 disk:0 16" };
