/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's error numbers. The core uses Linux's (core/command/command.h); those from 1 to 34 are the same in both, with
 * one exception.
 */
#include <errno.h>

#include "proto/dict.h"

static const struct {
	int linux_code;
	unsigned netbsd;
} dict_numbers[] = {
	{ ENXIO, 2 },		/* no such device: ENOENT */
	{ ENOTBLK, 2 },		/* what exists is not a block device: ENOENT */
	{ ENODEV, 2 },
	{ ENOPKG, 2 },		/* no such target: ENOENT */
#define NUMBER(here, there) { here, there },
#include "proto/dict_errno.list"
#undef NUMBER
};

unsigned dict_errno(int code)
{
	size_t i;

	for (i = 0; i < sizeof(dict_numbers) / sizeof(*dict_numbers); i++)
		if (dict_numbers[i].linux_code == -code)
			return dict_numbers[i].netbsd;
	return (unsigned)-code;
}

int dict_errno_here(unsigned netbsd)
{
	switch (netbsd) {
#define NUMBER(here, there) case there: return here;
#include "proto/dict_errno.list"
#undef NUMBER
	default:
		return (int)netbsd;
	}
}
