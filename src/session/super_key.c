/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request_key(2): the kernel's keyring has a type of key that only the kernel can read (logon), for its own dm-crypt. The keys of
 * the session's devices are the daemon's, which cannot read one. So a program is told that there is no such keyring, and
 * cryptsetup then puts the key into the table itself. Other types of keys are the kernel's business.
 */
#include <errno.h>
#include <string.h>

#include "session/super.h"

void super_request_key(struct call *c)
{
	static const char logon[] = "logon";
	char type[sizeof(logon)];

	if (!target_read(c, c->req.data.args[0], type, sizeof(type)) && !memcmp(type, logon, sizeof(logon)))
		call_fail(c, -ENOSYS);
}
