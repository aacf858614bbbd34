/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "contract/sample.h"

static int error_model(enum dm_op op, const uint8_t kept[512], uint8_t next[512])
{
	(void)op;
	(void)kept;
	(void)next;
	return -EIO;
}

const struct sample sample_error = { .words = "", .model = error_model };
