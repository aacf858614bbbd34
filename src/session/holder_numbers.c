/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links by number that udev creates in /dev/block: ours has a directory of its own, into which the machine's are
 * copied.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/holder_parts.h"

/* Leaves out what the session has itself. */
void holder_number(int machine, const char *name)
{
	char from[NAME_MAX + 8], to[NAME_MAX + 16], target[32];
	ssize_t n;

	snprintf(from, sizeof(from), "block/%s", name);
	snprintf(to, sizeof(to), "/dev/%s", from);
	n = readlinkat(machine, from, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (n > 3 && !holder_is_ours(target + 3))
		holder_show(machine, from, to);
}

void holder_numbers(int machine)
{
	int fd = openat(machine, "block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (*entry->d_name != '.')
			holder_number(machine, entry->d_name);
	if (d)
		closedir(d);
}
