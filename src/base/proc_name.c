/* SPDX-License-Identifier: BSD-2-Clause */
/* See proc_name.h. Programs choose their own names, which may contain control characters. */
#include "base/proc_name.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool proc_name(pid_t pid, char name[PROC_NAME])
{
	char path[40], *at;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = read(fd, name, PROC_NAME - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (at = name; *at; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
	return true;
}
