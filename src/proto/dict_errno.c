/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error numbers as NetBSD has them. The core names a failure in Linux's numbers
 * (core/command.h); those from 1 to 34 are the same in both, but for one.
 */
#include <errno.h>

#include "proto/dict.h"

static const struct {
	int linux_code;
	unsigned netbsd;
} dict_numbers[] = {
	{ ENXIO, 2 },		/* no such device: ENOENT */
	{ ENODEV, 2 },		/* a component is missing: ENOENT */
	{ ENOPKG, 2 },		/* no such target: ENOENT */
	{ EAGAIN, 35 },
	{ EDEADLK, 11 },
	{ ENAMETOOLONG, 63 },
	{ ENOSYS, 78 },
	{ ENOTEMPTY, 66 },
	{ ELOOP, 62 },
	{ EOVERFLOW, 84 },
	{ EILSEQ, 85 },
	{ EPROTO, 96 },
	{ EMSGSIZE, 40 },
	{ EOPNOTSUPP, 45 },	/* ENOTSUP too */
	{ EADDRINUSE, 48 },
	{ ECONNRESET, 54 },
	{ ENOBUFS, 55 },
	{ ESHUTDOWN, 58 },
	{ ETIMEDOUT, 60 },
	{ ECONNREFUSED, 61 },
	{ EDQUOT, 69 },
	{ ESTALE, 70 },
};

unsigned dict_errno(int code)
{
	size_t i;

	for (i = 0; i < sizeof(dict_numbers) / sizeof(*dict_numbers); i++)
		if (dict_numbers[i].linux_code == -code)
			return dict_numbers[i].netbsd;
	return (unsigned)-code;
}
