/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the programs in the session's namespaces in /proc: they lose their devices when the daemon ends. Processes of
 * dmuse itself (the holder, supervisors, the one that asked for the end) are not listed.
 */
#include "session/sessions_users.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc_name.h"
#include "session/helper.h"

static bool users_inside(pid_t pid, const char *mount_ns)
{
	char path[40], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", (long)pid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	return !strcmp(link, mount_ns);
}

static bool users_are_us(pid_t pid)
{
	char path[40];
	bool us;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	us = fd >= 0 && (helper_is(fd) || helper_runs_this(fd));
	if (fd >= 0)
		close(fd);
	return us;
}

void sessions_users(const char *mount_ns, struct text *out)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char name[PROC_NAME];
	pid_t pid;

	while (proc && (entry = readdir(proc))) {
		pid = (pid_t)atol(entry->d_name);
		if (pid > 0 && users_inside(pid, mount_ns) && !users_are_us(pid) && proc_name(pid, name))
			text_printf(out, "%s (process %ld) runs in a session\n", name, (long)pid);
	}
	if (proc)
		closedir(proc);
}
