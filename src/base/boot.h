/* SPDX-License-Identifier: BSD-2-Clause */
/* Which start of the machine this is: the monotonic clock counts from there. */
#ifndef BASE_BOOT_H
#define BASE_BOOT_H

#define BOOT_ID 36	/* bytes */

/* The kernel's id of this boot, the same for all processes; "unknown" without /proc. Any thread. */
const char *boot_id(void);

#endif
