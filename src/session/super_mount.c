/* SPDX-License-Identifier: BSD-2-Clause */
/* mount(2) and fsconfig(2) of a device of ours. */
#include "session/super.h"

void super_mount(struct call *c)
{
	(void)c;
}

void super_fsconfig(struct call *c)
{
	(void)c;
}
