/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and uuids of devices as the kernel has them. libdevmapper gives the kernel no byte but A-Z a-z 0-9 # + - . : = @ _
 * in a name: all others are written \xNN there ("mangled"), and dmsetup refuses to list a device with another one. So that
 * is what devices are called in /dev/mapper, in sysfs and in Linux's ioctls; elsewhere they have the name that people write.
 */
#ifndef CORE_MANGLE_H
#define CORE_MANGLE_H

#include <stddef.h>

enum dm_mangle {
	DM_MANGLE_AUTO,		/* what is mangled already stays as it is */
	DM_MANGLE_HEX,		/* all is mangled, backslashes too */
	DM_MANGLE_NONE,		/* the kernel's name is meant */
};

/*
 * NAME as the kernel has it, in OUT, which has ROOM bytes. 0; -ENAMETOOLONG; -EINVAL: only a part of NAME is mangled
 * already, or a part twice, so that dmsetup would not read it (AUTO). OUT is of no use then.
 */
int dm_mangle(const char *name, enum dm_mangle how, char *out, size_t room);

/* KERNEL with the byte that it means for each \xNN. It may hold anything then. OUT has as much room as KERNEL takes. */
void dm_unmangle_all(const char *kernel, char *out);

/*
 * The name that people write for the kernel's one. It is KERNEL itself where it would be no text, would not stay in its
 * line, would hold a '/', or would mean another device when it is typed. OUT has as much room as KERNEL takes.
 */
void dm_unmangle(const char *kernel, char *out);

#endif
